/** Measures any program in a forked process, without a change to it: `node --import ./preload.ts PROGRAM`. */
import { answerQuestions } from './questions.ts';

answerQuestions(true);
