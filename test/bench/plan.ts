/** Bytes of 1 MB in the benchmark. With this unit, 20 MB is exactly the size of the largest accepted image. */
export const MEGABYTE = 1024 * 1024;

/** Images of one size, and how many requests with them are in progress at the same time. */
export interface Load {
  readonly megabytes: number;
  readonly concurrency: number;
}

/** What to measure, and how long. */
export interface Plan {
  readonly name: 'full' | 'quick' | 'tiny';
  readonly loads: readonly Load[];
  /** How often each load runs on each side. The sides take turns, with a fresh process each time. */
  readonly rounds: number;
  /**
   * How long a load runs before it is measured. Rates still rise for the first three or four seconds, while V8 compiles
   * the code that runs often.
   */
  readonly warmUpSeconds: number;
  /** Minimum number of requests in the warm-up of a load of less than 1 MB. */
  readonly smallWarmUps: number;
  /** How long a load is measured. */
  readonly seconds: number;
  /**
   * The sides `tutorial` and `shared client` skip a load that has more MB of images in progress. They would need ten
   * seconds to answer each of these requests once.
   */
  readonly maxSdkInflightMb: number;
  /** Rounds of the cold starts. */
  readonly coldStarts: number;
  /** Number of requests at once to a slow model. */
  readonly slowRequests: number;
  /** Far too many large images at once. */
  readonly burst: Load;
  /** The load in each of OpenAI's two formats. */
  readonly openAi: Load;
  readonly openAiRounds: number;
  /** Loads of raw images for the server, `npm start` and the floor. */
  readonly rawLoads: readonly Load[];
  /** Loads of chat requests for the server and the gateway. */
  readonly chatLoads: readonly Load[];
  /** Rounds of the raw and chat loads. */
  readonly servedRounds: number;
  /** Minimum number of small requests before the first raw or chat load. */
  readonly servedWarmUps: number;
  /** Minimum number of requests of a raw load, in the warm-up and in the measurement. Images over 1 MB need fewer. */
  readonly servedRequests: number;
  /** Images that the server gets at once when its memory is measured. */
  readonly servedAtOnce: Load;
  readonly idleConnections: number;
  /** Tiles of 256 x 192 pixels in the HEIC. The other pictures have the same size in pixels. */
  readonly heicTiles: { readonly columns: number; readonly rows: number };
  /** Minimum number of measured requests with each picture. */
  readonly pictures: number;
  /** Size of the images that are crafted to need many steps to read. */
  readonly craftedMb: number;
}

const SIZES = [0.1, 1, 10, 20];
const CONCURRENCIES = [1, 8, 32];

/** The whole measurement. It takes about half an hour on 2 cores. */
export const full: Plan = {
  name: 'full',
  loads: SIZES.flatMap((megabytes) => CONCURRENCIES.map((concurrency) => ({ megabytes, concurrency }))),
  rounds: 2,
  warmUpSeconds: 4,
  smallWarmUps: 8_000,
  seconds: 2,
  maxSdkInflightMb: Infinity,
  coldStarts: 21,
  slowRequests: 1_000,
  burst: { megabytes: 20, concurrency: 200 },
  openAi: { megabytes: 20, concurrency: 8 },
  openAiRounds: 3,
  rawLoads: [0.02, 1, 20].map((megabytes) => ({ megabytes, concurrency: 8 })),
  // As JSON, these are 1.5 and 27 MB.
  chatLoads: [1.1, 20].map((megabytes) => ({ megabytes, concurrency: 8 })),
  servedRounds: 3,
  // The threads on which V8 compiles count as CPU time of the process. After 2,000 requests, the server takes 0.84 ms of
  // CPU for a small request, and after 8,000 0.57 ms. After 11,000, V8 compiled 54 functions in the next 3,000 requests.
  servedWarmUps: 16_000,
  servedRequests: 1_000,
  servedAtOnce: { megabytes: 20, concurrency: 32 },
  // One less than the server's limit of 10,000 connections, so that one more request can be answered.
  idleConnections: 9_999,
  // 4,096 x 3,072 pixels: 12.6 megapixels, like a phone's camera.
  heicTiles: { columns: 16, rows: 16 },
  pictures: 5,
  craftedMb: 20,
};

/** Only the loads with the most promises. It takes a minute and a half. */
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
  smallWarmUps: 500,
  seconds: 1,
  maxSdkInflightMb: 200,
  coldStarts: 3,
  servedRounds: 1,
  servedWarmUps: 500,
  servedRequests: 100,
};

/** The smallest run, for a test that everything works. Its figures mean nothing. */
export const tiny: Plan = {
  name: 'tiny',
  loads: [{ megabytes: 0.1, concurrency: 8 }],
  rounds: 2,
  warmUpSeconds: 0,
  smallWarmUps: 0,
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
