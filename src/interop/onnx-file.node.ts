/** ONNX files on disk, with weights in other files of their folder. Node only. @module */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ReadExternal } from '../onnx/import/index.ts';
import { DataError } from '../util/errors.ts';
import { importOnnx, type ImportedModel, type OnnxImportOptions } from './onnx-model.ts';

/** A protobuf file ends here. */
const LARGEST_FILE = 2 ** 31;
/** What is looked at before the whole file is read. */
const FIRST_BYTES = 16;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/**
 * Reads `path` by `importOnnx`. Weights that the model keeps in other files are read from its folder, which they may not leave, also not
 * by a link.
 * @throws DataError when the file is missing, empty, too large or malformed; otherwise as `importOnnx`.
 */
export async function loadOnnx(file: string, options: Omit<OnnxImportOptions, 'readExternal'> = {}): Promise<ImportedModel> {
  await lookAt(file);
  const bytes = await readFile(file).catch((error: unknown) => refuse(file, 'the file must be readable', codeOf(error)));
  return importOnnx(bytes, { name: file, ...options, readExternal: externalReader(file) });
}

function refuse(file: string, required: string, received: string, remedy?: string): never {
  throw new DataError({ operation: `ONNX file ${file}`, required, received, remedy });
}

/** Refuses by size and first bytes what would be slow to refuse after reading it all. */
async function lookAt(file: string): Promise<void> {
  const handle = await open(file, 'r').catch((error: unknown) => refuse(file, 'the file must be readable', codeOf(error)));
  try {
    const entry = await handle.stat();
    if (!entry.isFile()) refuse(file, 'it must be a file', entry.isDirectory() ? 'a folder' : 'something else', 'name the .onnx file itself');
    if (entry.size === 0) refuse(file, 'the file must hold a model', '0 bytes', 'download or export it again');
    if (entry.size >= LARGEST_FILE) refuse(file, 'a protobuf file is smaller than 2 GiB', `${entry.size} bytes`, 'export it with weights in other files (save_as_external_data)');
    const { buffer, bytesRead } = await handle.read(new Uint8Array(FIRST_BYTES), 0, FIRST_BYTES, 0);
    if (buffer.subarray(0, bytesRead).every((byte) => byte === 0)) refuse(file, 'the file must be an ONNX model (protobuf)', 'zeros at its beginning', 'download it again: it was not transferred whole');
  } finally {
    await handle.close();
  }
}

/** Reads parts of files in the folder of the model. */
function externalReader(model: string): ReadExternal {
  return (location, offset, length) => {
    const folder = realpathSync(path.dirname(path.resolve(model)));
    const where = `${location} beside ${model}`;
    let real: string;
    try {
      real = realpathSync(path.join(folder, location));
    } catch (error) {
      return refuse(where, 'the file of the weights must be readable', codeOf(error), 'keep the files of a model together');
    }
    if (!real.startsWith(folder + path.sep)) refuse(where, 'the file of the weights must lie in the folder of the model', real);
    const handle = openSync(real, 'r');
    try {
      const { size } = fstatSync(handle);
      if (offset + length > size) refuse(where, `the file must have at least ${offset + length} bytes`, String(size), 'download it again: it is cut short');
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = readSync(handle, bytes, done, Math.min(length - done, 2 ** 28), offset + done);
        if (count === 0) refuse(where, `${length} bytes at ${offset} must be readable`, `the end of the file after ${done}`);
        done += count;
      }
      return bytes;
    } finally {
      closeSync(handle);
    }
  };
}
