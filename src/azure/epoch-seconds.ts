import * as v from 'valibot';

/** What `Date` can tell: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LAST_SECOND = 8.64e12;

/** A moment as tokens and Azure's model list tell it: seconds since 1970, of which a `Date` can be made. */
export const EpochSeconds = v.pipe(v.number(), v.minValue(0), v.maxValue(LAST_SECOND));
