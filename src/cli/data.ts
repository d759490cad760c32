/** `--data` and `--loss` as the user gives them: names of the library, or files. @module */
import { basename } from 'node:path';
import type { Dataset } from '../data/index.ts';
import { datasetNamed, datasets } from '../data/node.ts';
import type { ImportedLoss } from '../interop/index.ts';
import { isDataFile, isLossModule, loadDataFile, loadLossModule, loadOnnxLoss } from '../interop/node.ts';
import type { Loss } from '../losses/index.ts';
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

/** What `--loss` takes, for help. */
export const lossHelp = 'a module that exports one, my-loss.ts, an ONNX file of outputs and targets, head.onnx, or inside: the loss that a model.onnx contains';

/**
 * The loss of a file, or its name as it is; undefined where none is given. `target` names the input of an ONNX file that takes the targets.
 * @throws UsageError | DataError | ArgumentError
 */
export async function lossOf(text: string | undefined, target?: string): Promise<string | NamedLoss | undefined> {
  if (text === undefined) return undefined;
  if (/^inside(:|$)/.test(text)) throw new UsageError('--loss inside needs a model from a file that contains its loss, model.onnx');
  if (/\.onnx$/i.test(text)) return { name: basename(text), loss: toldLoss(await loadOnnxLoss(text, { ...(target !== undefined && { target }) })) };
  return isLossModule(text) ? { name: text, loss: await loadLossModule(text) } : text;
}

/** A loss whose remarks go to standard error as they come up, but for the first `told`. */
export function toldLoss({ loss, notices }: ImportedLoss, told = 0): Loss {
  const tell = (): void => { for (; told < notices.length; told++) process.stderr.write(`loss: ${notices[told]}\n`); };
  tell();
  return (outputs, targets) => {
    const losses = loss(outputs, targets);
    tell();
    return losses;
  };
}
