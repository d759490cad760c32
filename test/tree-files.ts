/** The files of the working tree, as the structural tests see them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Paths of the files under a folder of the repository, relative to the root, with forward slashes, sorted. */
export function filesUnder(folder: string, keep: (file: string) => boolean): string[] {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter(keep)
    .sort();
}

/** The text of a file given relative to the root. */
export const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** True for TypeScript written by hand: protobuf output is excepted. */
export const isHandWritten = (file: string): boolean => /\.tsx?$/.test(file) && !file.endsWith('_pb.ts');
