/** The operators that are read, by domain. @module */
import type { OperatorDefinition, OperatorTable } from '../operator.ts';
import { activationOperators } from './activations.ts';
import { arithmeticOperators } from './arithmetic.ts';
import { attentionOperators } from './attention.ts';
import { controlOperators } from './control.ts';
import { transposedConvolutionOperators } from './conv-transpose.ts';
import { headOperators } from './heads.ts';
import { indexingOperators } from './indexing.ts';
import { layoutOperators } from './layouts.ts';
import { learningOperators } from './learning.ts';
import { listOperators } from './lists.ts';
import { networkOperators } from './networks.ts';
import { normalisationOperators } from './normalisations.ts';
import { normOperators } from './norms.ts';
import { orderingOperators } from './ordering.ts';
import { paddingOperators } from './padding.ts';
import { productOperators } from './products.ts';
import { quantisationOperators } from './quantisation.ts';
import { recurrentOperators } from './recurrent.ts';
import { reductionOperators } from './reductions.ts';
import { resizingOperators } from './resizing.ts';
import { runtimeOperators, unprefixedOperators } from './runtime.ts';
import { samplingOperators } from './sampling.ts';
import { scatteringOperators } from './scattering.ts';
import { shapingOperators } from './shaping.ts';
import { windowOperators } from './windows.ts';

/** Families of ONNX's own operators; no two have an operator of one name. */
export const operatorFamilies: readonly OperatorTable[] = [
  arithmeticOperators, controlOperators, indexingOperators, networkOperators, productOperators, reductionOperators, shapingOperators,
  windowOperators, transposedConvolutionOperators, normalisationOperators, normOperators, recurrentOperators, attentionOperators,
  quantisationOperators, samplingOperators, activationOperators, headOperators, layoutOperators, orderingOperators, paddingOperators,
  resizingOperators, scatteringOperators, unprefixedOperators,
];

const ownOperators: OperatorTable = Object.assign({}, ...operatorFamilies) as OperatorTable;

const domains: Readonly<Record<string, OperatorTable>> = { '': ownOperators, 'com.microsoft': runtimeOperators, 'ai.onnx.ml': learningOperators, thalweg: listOperators };

/** The definition of an operator, or undefined when it is not read. */
export function operatorOf(domain: string, operator: string): OperatorDefinition | undefined {
  const table = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  return table !== undefined && Object.hasOwn(table, operator) ? table[operator] : undefined;
}

/** Names of the operators that are read, with their domain (`com.microsoft:`) before those that are not ONNX's own; sorted. Without those that no file has. */
export const operatorNames = (): string[] =>
  Object.entries(domains).filter(([domain]) => domain !== 'thalweg').flatMap(([domain, table]) => Object.keys(table).map((name) => (domain === '' ? name : `${domain}:${name}`))).sort();
