/** Sharpness as the literature measures it. @module */
import { adaptiveSharpness, averageSharpness, fisherRaoNorm, keskarSharpness, pacBayesFlatness, samSharpness, worstCaseSharpness, type Sharpness } from '../landscape/index.ts';
import { key, split } from '../util/random/index.ts';
import type { SharpnessRecord } from './record.ts';
import type { Stage, StageContext } from './stage.ts';

const DRAWS = 8;
/** What a gradient costs in Hessian products. */
const GRADIENT = 0.5;
/** Losses that the bisection of the PAC-Bayes measure takes for each of its perturbations. */
const BISECTIONS = 15;

interface Measure {
  readonly name: string;
  run(context: StageContext): Promise<Sharpness>;
}

/** What all measures share. */
const common = ({ sample, executor, signal, seed }: StageContext, name: string) =>
  ({ data: sample, executor, key: split(key(seed), 'survey', 'sharpness', name), ...(signal && { signal }) });

const measures: readonly Measure[] = [
  { name: 'SAM sharpness, one ascent step', run: (c) => samSharpness(c.problem, c.point, { ...common(c, 'sam'), radius: c.settings.sharpnessRadius }) },
  { name: 'worst case in the ball', run: (c) => worstCaseSharpness(c.problem, c.point, { ...common(c, 'ball'), radius: c.settings.sharpnessRadius, steps: c.settings.sharpnessSteps }) },
  { name: 'adaptive worst case (ASAM)', run: (c) => adaptiveSharpness(c.problem, c.point, { ...common(c, 'asam'), radius: 10 * c.settings.sharpnessRadius, steps: c.settings.sharpnessSteps }) },
  { name: "Keskar's sharpness in a box", run: (c) => keskarSharpness(c.problem, c.point, { ...common(c, 'box'), steps: c.settings.sharpnessSteps }) },
  { name: 'mean over Gaussian noise', run: (c) => averageSharpness(c.problem, c.point, { ...common(c, 'noise'), radius: c.settings.sharpnessRadius / 10, draws: DRAWS }) },
  { name: 'Fisher-Rao norm, squared', run: (c) => fisherRaoNorm(c.problem, c.point, common(c, 'fisher')) },
  { name: 'PAC-Bayes flatness (noise that adds 0.1 to the loss)', run: (c) => pacBayesFlatness(c.problem, c.point, { ...common(c, 'pac'), draws: DRAWS }) },
];

/** Worst-case, average and norm-based sharpness. */
export const sharpnessStage: Stage = {
  name: 'sharpness',
  title: 'sharpness measures of the literature',
  work: ({ settings: { sharpnessSteps } }) => ({ products: GRADIENT * (3 * (sharpnessSteps + 1) + 4), points: 2 * DRAWS * (BISECTIONS + 1), programs: 3 }),
  async run(context, report) {
    const sharpness: SharpnessRecord[] = [];
    for (const { name, run } of measures) {
      if (context.signal?.aborted === true) break;
      report(sharpness.length, measures.length, name);
      const { value, error, kind, samples, rescaling } = await run(context);
      sharpness.push({ name, rescaling, value: { value, error, kind, ...(samples !== undefined && { samples }) } });
    }
    return { sharpness };
  },
};
