/** What an exporter did to the arrays of a module and cannot be undone, in words. @module */
import type { ImportedProgram } from './graph.ts';
import { COMPUTED, type Classified } from './parameters.ts';

/** Names that exporters give to arrays that they made of the module's: transposed, joined, folded. */
const OF_EXPORTER = /^(onnx::\w+|val_\d+|_val_\d+)$/;
const FOLDED_CONVOLUTION = /^onnx::Conv_\d+$/;

const some = (names: readonly string[]): string => `${names.slice(0, 2).join(', ')}${names.length > 2 ? ', ...' : ''}`;
const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** One remark where the parameters of a file are not those of PyTorch's module; undefined where nothing tells so. */
export function exporterRemark({ graph, producer }: ImportedProgram, { parameters, frozen }: Pick<Classified, 'parameters' | 'frozen'>): string | undefined {
  if (!producer.startsWith('pytorch')) return undefined;
  const own = parameters.map(({ name }) => name).filter((name) => OF_EXPORTER.test(name));
  const computed = frozen.filter(({ reason }) => reason.startsWith(COMPUTED)).map(({ name }) => name);
  const folded = graph.nodes.filter(({ origin, inputs }) => origin?.rewrites.includes('FuseBatchNorm') === true || (inputs.length === 3 && FOLDED_CONVOLUTION.test(inputs[1]))).length;
  const changes = [
    ...(folded > 0 ? [`batch normalisation folded into ${plural(folded, 'convolution', 'convolutions')}`] : []),
    ...(own.length > 0 ? [`${plural(own.length, 'array', 'arrays')} transposed or joined under ${own.length === 1 ? 'a name' : 'names'} of its own (${some(own)})`] : []),
    ...(computed.length > 0 ? [`${plural(computed.length, 'array', 'arrays')} computed beforehand, of constants or parameters, and frozen here (${some(computed)})`] : []),
  ];
  if (changes.length === 0) return undefined;
  const remedy = graph.nodes.some(({ origin }) => origin !== undefined) ? 'optimize=False' : 'do_constant_folding=False and training=torch.onnx.TrainingMode.PRESERVE';
  return `the exporter changed the module: ${changes.join('; ')}. What is measured is with respect to the arrays of the file; for those of the module export it with ${remedy}`;
}
