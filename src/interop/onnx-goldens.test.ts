/** Models that PyTorch's two exporters and skl2onnx wrote, against PyTorch in float64 and against ONNX Runtime on the file itself. */
import { readdirSync, readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { NDArray, type DType } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { hessian as hessianOperator } from '../curvature/index.ts';
import { symmetricEigenvalues } from '../linalg/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mean } from '../ops/index.ts';
import type { Problem } from '../problem/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile } from '../transforms/index.ts';
import { key } from '../util/random/index.ts';
import { importOnnx } from './index.ts';

interface Entry { readonly shape: readonly number[]; readonly data: readonly number[] }
interface Golden {
  readonly inputs: Entry;
  readonly targets: Entry;
  readonly outputs: Entry;
  readonly loss: number;
  readonly parameters?: Readonly<Record<string, readonly number[]>>;
  readonly trace?: number;
  readonly eigenvalues?: readonly number[];
}
