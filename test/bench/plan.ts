/** A megabyte is 1,048,576 bytes throughout, so that 20 of them are the largest image that the service takes. */
export const MEGABYTE = 1024 * 1024;

/** Everything sent at a time, and of what size. */
export interface Load {
  readonly megabytes: number;
  readonly concurrency: number;
}

/** How much is measured. */
export interface Plan {
  readonly name: 'full' | 'quick' | 'tiny';
  readonly loads: readonly Load[];
  /** Each load is put on each side so many times, in turns, on a fresh process each time. */
  readonly rounds: number;
  /** The same load goes ahead of a measured one for so long: rates still rise for the first three or four seconds, as V8 compiles what runs often. */
  readonly warmUpSeconds: number;
  /** A load goes on for so long. */
  readonly seconds: number;
  /** The two ways people do it today are left out where more MB of images are under way: a wave of them takes ten seconds. */
  readonly maxSdkInflightMb: number;
  readonly coldStarts: number;
  readonly slowRequests: number;
  readonly burst: Load;
  /** An image through OpenAI's two formats, and in how many rounds. */
  readonly openAi: Load;
  readonly openAiRounds: number;
  /** What is put on the server and on the other ways to serve, as raw images and as chat requests, and in how many rounds. */
  readonly rawLoads: readonly Load[];
  readonly chatLoads: readonly Load[];
  readonly servedRounds: number;
  /** Small requests that go ahead, at least. */
  readonly servedWarmUps: number;
  /** Requests of up to 1 MB of a load that go ahead, and that are measured, at least; fewer of larger ones. */
  readonly servedRequests: number;
  /** Images that the server gets at once, to see its memory. */
  readonly servedAtOnce: Load;
  readonly idleConnections: number;
  /** A HEIC of so many tiles of 256 x 192 pixels, other pictures of that size, and how often each is asked about at least. */
  readonly heicTiles: { readonly columns: number; readonly rows: number };
  readonly pictures: number;
  /** Size of the images that are made to take long. */
  readonly craftedMb: number;
}

const SIZES = [0.1, 1, 10, 20];
const CONCURRENCIES = [1, 8, 32];

/** The whole measurement, in less than twenty minutes. */
export const full: Plan = {
  name: 'full',
  loads: SIZES.flatMap((megabytes) => CONCURRENCIES.map((concurrency) => ({ megabytes, concurrency }))),
  rounds: 2,
  warmUpSeconds: 4,
  seconds: 2,
  maxSdkInflightMb: Infinity,
  coldStarts: 21,
  slowRequests: 1_000,
  burst: { megabytes: 20, concurrency: 200 },
  openAi: { megabytes: 20, concurrency: 8 },
  openAiRounds: 3,
  rawLoads: [0.02, 1, 20].map((megabytes) => ({ megabytes, concurrency: 8 })),
  // 1.5 and 27 MB of JSON.
  chatLoads: [1.1, 20].map((megabytes) => ({ megabytes, concurrency: 8 })),
  servedRounds: 2,
  // V8 compiles what runs often, on threads that count as well: after 2,000 requests the server still takes 0.84 ms of CPU
  // for a small one, after 8,000 it takes 0.57.
  servedWarmUps: 8_000,
  servedRequests: 1_000,
  servedAtOnce: { megabytes: 20, concurrency: 32 },
  // One less than the server takes at most, so that another can be answered.
  idleConnections: 9_999,
  // 12 megapixels, as a phone's camera takes them: 4,096 x 3,072.
  heicTiles: { columns: 16, rows: 16 },
  pictures: 5,
  craftedMb: 20,
};

/** The loads by which the most is promised, in a minute and a half. */
export const quick: Plan = {
  ...full,
  name: 'quick',
  loads: [
    { megabytes: 1, concurrency: 8 },
    { megabytes: 20, concurrency: 1 },
    { megabytes: 20, concurrency: 32 },
  ],
  rounds: 1,
  warmUpSeconds: 2,
  seconds: 1,
  maxSdkInflightMb: 200,
  coldStarts: 3,
  servedRounds: 1,
  servedWarmUps: 500,
  servedRequests: 100,
};

/** Whether everything works; its figures mean nothing. */
export const tiny: Plan = {
  name: 'tiny',
  loads: [{ megabytes: 0.1, concurrency: 8 }],
  rounds: 2,
  warmUpSeconds: 0,
  seconds: 0,
  maxSdkInflightMb: Infinity,
  coldStarts: 0,
  slowRequests: 4,
  burst: { megabytes: 0.1, concurrency: 4 },
  openAi: { megabytes: 0.1, concurrency: 4 },
  openAiRounds: 1,
  rawLoads: [{ megabytes: 0.02, concurrency: 4 }],
  chatLoads: [{ megabytes: 0.1, concurrency: 4 }],
  servedRounds: 1,
  servedWarmUps: 4,
  servedRequests: 4,
  servedAtOnce: { megabytes: 0.5, concurrency: 4 },
  idleConnections: 50,
  heicTiles: { columns: 2, rows: 1 },
  pictures: 2,
  craftedMb: 0.1,
};
