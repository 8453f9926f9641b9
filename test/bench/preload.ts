/** Measures a program that knows nothing of the bench: `node --import ./preload.ts PROGRAM`, forked. */
import { answerQuestions } from './questions.ts';

answerQuestions(true);
