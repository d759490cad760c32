/** Data sets from the user's own files. Node only. @module */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { NDArray } from '../core/ndarray.ts';
import { parseIdx, type Dataset } from '../data/index.ts';
import { DataError } from '../util/errors.ts';
import { flag, fraction, oneOf, nonNegativeInteger, parseOptions, positiveInteger, type OptionKind } from '../util/options.ts';
import { parseTable } from './csv.ts';
import { datasetOfArrays, type DataArrays, type DataArraysOptions } from './data-arrays.ts';
import { parseNpy, type NpyArray } from './npy.ts';
import { parseNpz } from './npz.ts';
import { openSafetensors } from './safetensors.node.ts';

const anyText: OptionKind<string> = { expects: 'a name', parse: (text) => (text === '' ? undefined : text) };

/** What may follow the colon of `file.npz:x=images,y=labels`. */
export const dataFileOptions = {
  x: anyText, y: anyText, 'test-x': anyText, 'test-y': anyText, kind: oneOf(['classification', 'regression', 'sequence']),
  split: fraction, samples: positiveInteger, seed: nonNegativeInteger, standardize: flag,
} as const;

const EXTENSIONS = ['.npz', '.npy', '.csv', '.tsv', '.safetensors', '.idx', '-ubyte', '.ubyte'];
const FILE = new RegExp(`^(.*?(?:${EXTENSIONS.map((extension) => extension.replace('.', '\\.')).join('|')}))(?::(.*))?$`, 'is');

/** Whether a text names a file rather than a data set of the library: by its extension, or by a separator of folders. */
export const isDataFile = (text: string): boolean => FILE.test(text) || /[\\/]/.test(text);

/**
 * A data set from a text such as `digits.npz:x=images,y=labels,split=0.1`: NumPy arrays and archives, CSV and TSV tables, safetensors, IDX
 * files (`images.idx:y=labels.idx`).
 * @throws DataError when the file is missing, of no known format, or its arrays do not fit; ArgumentError when an option is malformed.
 */
export async function loadDataFile(text: string): Promise<DataArrays> {
  const match = FILE.exec(text);
  if (match === null) throw new DataError({ operation: `data ${text}`, required: `the file must end with ${EXTENSIONS.join(', ')}`, received: `'${path.basename(text)}'` });
  const [, file, rest = ''] = match;
  const { 'test-x': testX, 'test-y': testY, ...options } = parseOptions(`data ${path.basename(file)}`, rest, dataFileOptions);
  if (!existsSync(file)) throw new DataError({ operation: `data ${file}`, required: 'the file must exist', received: `nothing at ${path.resolve(file)}` });
  const chosen: DataArraysOptions = { ...options, ...(testX !== undefined && { testX }), ...(testY !== undefined && { testY }) };
  const extension = EXTENSIONS.find((one) => file.toLowerCase().endsWith(one))!;
  if (extension === '.csv' || extension === '.tsv') return ofTable(file, extension, chosen);
  if (extension === '.npz') return datasetOfArrays(parseNpz(new Uint8Array(await readFile(file)), { name: file }), file, chosen);
  if (extension === '.safetensors') return datasetOfArrays(await safetensorsArrays(file), file, chosen);
  return ofFiles(file, extension === '.npy' ? npyArray : idxArray, chosen);
}

async function ofTable(file: string, extension: string, { y, ...options }: DataArraysOptions): Promise<DataArrays> {
  const { inputs, targets, classes, target } = parseTable(await readFile(file, 'utf8'), { name: file, ...(y !== undefined && { target: y }), ...(extension === '.tsv' && { separator: '\t' }) });
  const kind = targets.dtype === 'int32' ? 'classification' : 'regression';
  const { dataset, notices } = datasetOfArrays(new Map([['x', inputs], ['y', targets]]), file, { kind, ...options });
  const named: Dataset = classes === undefined ? dataset : { ...dataset, classes };
  return { dataset: named, notices: [`'${target}' is predicted from ${inputs.shape[1]} columns`, ...notices] };
}

async function safetensorsArrays(file: string): Promise<ReadonlyMap<string, NDArray>> {
  const opened = await openSafetensors(file);
  try {
    const arrays = new Map<string, NDArray>();
    for (const { name } of opened.tensors) arrays.set(name, await opened.read(name));
    return arrays;
  } finally {
    await opened.close();
  }
}

const npyArray = async (file: string): Promise<NpyArray> => parseNpy(new Uint8Array(await readFile(file)), { name: file });

async function idxArray(file: string): Promise<NpyArray> {
  const { shape, data } = parseIdx(new Uint8Array(await readFile(file)), file);
  return Object.assign(new NDArray(Int32Array.from(data), shape, 'int32'), { descr: '|u1' });
}

/** One array a file: the options name files beside the first. */
async function ofFiles(file: string, read: (file: string) => Promise<NpyArray>, { y, testX, testY, ...options }: DataArraysOptions): Promise<DataArrays> {
  const arrays = new Map<string, NpyArray>();
  const roles = { x: path.basename(file), ...(y !== undefined && { y }), ...(testX !== undefined && { x_test: testX }), ...(testY !== undefined && { y_test: testY }) };
  for (const [role, name] of Object.entries(roles)) {
    const at = path.resolve(path.dirname(file), name);
    if (!existsSync(at)) throw new DataError({ operation: `data ${file}`, required: `the file of ${role} must exist`, received: `nothing at ${at}` });
    arrays.set(role, await read(at));
  }
  // An image of bytes without channels has one.
  for (const [role, value] of arrays) {
    if (value.shape.length === 3 && role.startsWith('x')) arrays.set(role, Object.assign(new NDArray(value.data, [value.shape[0], 1, ...value.shape.slice(1)], value.dtype), { descr: '|u1' }));
  }
  return datasetOfArrays(arrays, file, { ...options, x: 'x' });
}
