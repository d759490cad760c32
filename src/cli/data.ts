/** `--data` and `--loss` as the user gives them: names of the library, or files. @module */
import type { Dataset } from '../data/index.ts';
import { datasetNamed, datasets } from '../data/node.ts';
import { isDataFile, isLossModule, loadDataFile, loadLossModule } from '../interop/node.ts';
import type { NamedLoss } from '../survey/index.ts';
import { UsageError } from './exit.ts';

/** What `--data` takes, for help. */
export const dataHelp = `dataset: ${Object.keys(datasets).join(', ')}; options as modular-arithmetic:modulus=59; or a file: data.npz:x=images,y=labels,split=0.1 (npz, npy, csv, tsv, safetensors, idx)`;

/** The data set; what was decided about a file is said on standard error. @throws UsageError | ArgumentError | DataError */
export async function datasetOf(text: string): Promise<Dataset> {
  if (isDataFile(text)) {
    const { dataset, notices } = await loadDataFile(text);
    for (const notice of notices) process.stderr.write(`data: ${notice}\n`);
    return dataset;
  }
  if (!Object.hasOwn(datasets, text.split(':', 1)[0])) throw new UsageError(`--data must be one of ${Object.keys(datasets).join(', ')}, or a file that ends with .npz, .npy, .csv, .tsv, .safetensors or .idx, got '${text}'`);
  return datasetNamed(text);
}

/** The loss of a file, or its name as it is; undefined where none is given. @throws DataError */
export async function lossOf(text: string | undefined): Promise<string | NamedLoss | undefined> {
  return text !== undefined && isLossModule(text) ? { name: text, loss: await loadLossModule(text) } : text;
}
