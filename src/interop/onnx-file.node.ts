/** ONNX files on disk, with weights in other files of their folder. Node only. @module */
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { foreignFile, type ReadExternal } from '../onnx/import/index.ts';
import { DataError } from '../util/errors.ts';
import { importLoss, type ImportedLoss, type OnnxLossOptions } from './onnx-loss.ts';
import { importOnnx, type ImportedModel, type OnnxImportOptions } from './onnx-model.ts';

/** A protobuf file ends here. */
const LARGEST_FILE = 2 ** 31;
/** What is looked at before the whole file is read. */
const FIRST_BYTES = 512;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/**
 * Reads `path` by `importOnnx`. Weights that the model keeps in other files are read from its folder, which they may not leave, also not
 * by a link.
 * @throws DataError when the file is missing, empty, too large or malformed; otherwise as `importOnnx`.
 */
export async function loadOnnx(file: string, options: Omit<OnnxImportOptions, 'readExternal'> = {}): Promise<ImportedModel> {
  return importOnnx(await bytesOf(file), { name: file, ...options, readExternal: externalReader(file) });
}

/** Reads a loss at `path` by `importLoss`. @throws DataError when the file is missing, empty, too large or malformed; otherwise as `importLoss`. */
export async function loadOnnxLoss(file: string, options: Omit<OnnxLossOptions, 'readExternal'> = {}): Promise<ImportedLoss> {
  return importLoss(await bytesOf(file), { name: file, ...options, readExternal: externalReader(file) });
}

async function bytesOf(file: string): Promise<Uint8Array> {
  await lookAt(file);
  return readFile(file).catch((error: unknown) => refuse(file, 'the file must be readable', codeOf(error)));
}

function refuse(file: string, required: string, received: string, remedy?: string): never {
  throw new DataError({ operation: `ONNX file ${file}`, required, received, remedy });
}

/** Refuses by size and first bytes what would be slow to refuse after reading it all. */
async function lookAt(file: string): Promise<void> {
  const unreadable = (error: unknown): never => refuse(file, 'the file must be readable', codeOf(error));
  // Asked before the file is opened: opening a pipe waits for its other end.
  const entry = await stat(file).catch(unreadable);
  if (!entry.isFile()) refuse(file, 'it must be a file', entry.isDirectory() ? 'a folder' : 'something else', 'name the .onnx file itself');
  if (entry.size === 0) refuse(file, 'the file must hold a model', '0 bytes', 'download or export it again');
  const handle = await open(file, 'r').catch(unreadable);
  try {
    const first = (await handle.read(new Uint8Array(FIRST_BYTES), 0, FIRST_BYTES, 0)).buffer.subarray(0, Math.min(FIRST_BYTES, entry.size));
    const foreign = foreignFile(first);
    if (foreign !== undefined) refuse(file, 'the file must be an ONNX model (protobuf)', foreign.what, foreign.remedy);
    if (entry.size >= LARGEST_FILE) refuse(file, 'a protobuf file is smaller than 2 GiB', `${entry.size} bytes`, 'export it with weights in other files (save_as_external_data)');
    if (first.every((byte) => byte === 0)) refuse(file, 'the file must be an ONNX model (protobuf)', 'zeros at its beginning', 'download it again: it was not transferred whole');
  } finally {
    await handle.close();
  }
}

/** Whether a path without links lies in a folder. */
const isInside = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
};

/** Reads parts of files in the folder of the model. */
function externalReader(model: string): ReadExternal {
  return (location, offset, length) => {
    const where = `${location} beside ${model}`;
    const resolved = (file: string): string => {
      try {
        return realpathSync(file);
      } catch (error) {
        return refuse(where, 'the file of the weights must be readable', codeOf(error), 'keep the files of a model together');
      }
    };
    const folder = resolved(path.dirname(path.resolve(model)));
    const real = resolved(path.join(folder, location));
    // A cache of downloads links both the model and its weights to files that lie together elsewhere.
    if (![folder, path.dirname(resolved(model))].some((place) => isInside(place, real))) refuse(where, 'the file of the weights must lie in the folder of the model', real);
    if (!statSync(real).isFile()) refuse(where, 'the file of the weights must be a file', 'a folder, or something else');
    const handle = openSync(real, 'r');
    try {
      return readBytes(handle, offset, length, where);
    } finally {
      closeSync(handle);
    }
  };
}

function readBytes(handle: number, offset: number, length: number, where: string): Uint8Array {
  const { size } = fstatSync(handle);
  if (offset + length > size) {
    const first = new Uint8Array(FIRST_BYTES);
    const foreign = foreignFile(first.subarray(0, readSync(handle, first, 0, FIRST_BYTES, 0)));
    refuse(where, `the file must have at least ${offset + length} bytes`, foreign === undefined ? String(size) : foreign.what, foreign?.remedy ?? 'download it again: it is cut short');
  }
  let bytes: Uint8Array;
  try { bytes = new Uint8Array(length); } catch { return refuse(where, 'an array must fit memory', `${length} bytes`); }
  for (let done = 0; done < length;) {
    const count = readSync(handle, bytes, done, Math.min(length - done, 2 ** 28), offset + done);
    if (count === 0) refuse(where, `${length} bytes at ${offset} must be readable`, `the end of the file after ${done}`);
    done += count;
  }
  return bytes;
}
