/** Training. @module */
export { train, type TrainEvent, type TrainingRun, type TrainOptions } from './train.ts';
