/** Training. @module */
export { train, type Divergence, type TrainEvent, type TrainingRun, type TrainOptions } from './train.ts';
