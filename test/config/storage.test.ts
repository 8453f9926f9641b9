import { describe, expect, test } from 'vitest';
import { Environment } from '../../src/config/environment.ts';
import { readStorage, type StorageSettings } from '../../src/config/storage.ts';

const CLOUD = { suffix: 'core.windows.net', inAzure: false };

function read(
  variables: Record<string, string>,
  cloud: Partial<typeof CLOUD> = {},
): { settings: StorageSettings; faults: Record<string, string> } {
  const environment = new Environment(variables);
  const settings = readStorage(environment, { ...CLOUD, ...cloud });
  return { settings, faults: Object.fromEntries(environment.faults.map(({ setting, fault }) => [setting, fault])) };
}

test.each([{}, { IMAGE_CONTAINERS: '', JOBS_STORAGE_ACCOUNT: ' ', JOBS_WORKER: '' }])(
  'there are no containers and no jobs with %j',
  (variables) => {
    expect(read(variables)).toEqual({ settings: { imageContainers: [], jobs: undefined }, faults: {} });
  },
);

describe('IMAGE_CONTAINERS', () => {
  test.each([
    ['https://photos.blob.core.windows.net/images', ['https://photos.blob.core.windows.net/images']],
    ['https://photos.blob.core.windows.net/images/', ['https://photos.blob.core.windows.net/images']],
    [
      ' https://a01.blob.core.windows.net/x-1 ,, https://b02.blob.core.usgovcloudapi.net/abc,',
      ['https://a01.blob.core.windows.net/x-1', 'https://b02.blob.core.usgovcloudapi.net/abc'],
    ],
    ['https://photos.blob.core.chinacloudapi.cn/images', ['https://photos.blob.core.chinacloudapi.cn/images']],
    ['https://photos.z12.blob.storage.azure.net/images', ['https://photos.z12.blob.storage.azure.net/images']],
    ['https://photos-secondary.blob.core.windows.net/$web', ['https://photos-secondary.blob.core.windows.net/$web']],
    ['https://127.0.0.1:10000/devstoreaccount1/images', ['https://127.0.0.1:10000/devstoreaccount1/images']],
    ['http://localhost:10000/devstoreaccount1/images', ['http://localhost:10000/devstoreaccount1/images']],
  ])('%s is accepted', (IMAGE_CONTAINERS, imageContainers) => {
    const { settings, faults } = read({ IMAGE_CONTAINERS });
    expect(faults).toEqual({});
    expect(settings.imageContainers).toEqual(imageContainers);
  });

  test.each([
    'images',
    'photos.blob.core.windows.net/images',
    'https://photos.blob.core.windows.net',
    'https://photos.blob.core.windows.net/images/2026',
    'https://photos.blob.core.windows.net/Images',
    'https://photos.blob.core.windows.net/im--ages',
    'https://photos.blob.core.windows.net/-images',
    'https://photos.blob.core.windows.net/ab',
    `https://photos.blob.core.windows.net/${'a'.repeat(64)}`,
    'https://photos.blob.core.windows.net/images?sv=2026-01-01&sig=hunter2',
    'https://photos.blob.core.windows.net/images#a',
    'https://user:hunter2@photos.blob.core.windows.net/images',
    'https://photos.blob.core.windows.net:444/images',
    'http://photos.blob.core.windows.net/images',
    'https://photos.queue.core.windows.net/images',
    'https://photos.blob.core.windows.net.example.com/images',
    'https://ph.blob.core.windows.net/images',
    'https://example.com/images',
    'https://10.0.0.4/devstoreaccount1/images',
    'https://127.0.0.1:10000/images',
    'https://127.0.0.1:10000/Account/images',
    'https://photos.blob.core.windows.net/images/../private',
    'https://photos.blob.core.windows.net/images;https://photos.blob.core.windows.net/more',
  ])('%s is rejected, and not repeated in the message', (bad) => {
    const { settings, faults } = read({ IMAGE_CONTAINERS: `https://photos.blob.core.windows.net/good,${bad}` });
    expect(settings.imageContainers).toEqual([]);
    expect(faults).toEqual({
      IMAGE_CONTAINERS:
        'must be the URLs of blob containers with commas between them: https://ACCOUNT.blob.core.windows.net/CONTAINER.',
    });
  });
});

describe('jobs', () => {
  test('an account is enough, because the URLs follow from it and the cloud', () => {
    expect(read({ JOBS_STORAGE_ACCOUNT: 'work' })).toEqual({
      settings: {
        imageContainers: [],
        jobs: {
          blobService: 'https://work.blob.core.windows.net',
          queueService: 'https://work.queue.core.windows.net',
          isWorker: true,
          concurrency: 16,
        },
      },
      faults: {},
    });
    const { jobs } = read({ JOBS_STORAGE_ACCOUNT: 'work' }, { suffix: 'core.usgovcloudapi.net' }).settings;
    expect(jobs?.queueService).toBe('https://work.queue.core.usgovcloudapi.net');
  });

  test.each([
    { inAzure: false, JOBS_WORKER: '', isWorker: true },
    { inAzure: false, JOBS_WORKER: 'off', isWorker: false },
    { inAzure: true, JOBS_WORKER: '', isWorker: false },
    { inAzure: true, JOBS_WORKER: 'on', isWorker: true },
  ])('JOBS_WORKER=$JOBS_WORKER, inAzure=$inAzure: isWorker is $isWorker', ({ inAzure, JOBS_WORKER, isWorker }) => {
    expect(read({ JOBS_STORAGE_ACCOUNT: 'work', JOBS_WORKER }, { inAzure }).settings.jobs?.isWorker).toBe(isWorker);
  });

  test('the URLs of an emulator and JOBS_CONCURRENCY are accepted', () => {
    const { settings, faults } = read({
      JOBS_STORAGE_ACCOUNT: 'devstoreaccount1',
      JobsStorage__blobServiceUri: 'https://127.0.0.1:10000/devstoreaccount1/',
      JobsStorage__queueServiceUri: 'http://127.0.0.1:10001/devstoreaccount1',
      JOBS_CONCURRENCY: '32',
    });
    expect(faults).toEqual({});
    expect(settings.jobs).toMatchObject({
      blobService: 'https://127.0.0.1:10000/devstoreaccount1',
      queueService: 'http://127.0.0.1:10001/devstoreaccount1',
      concurrency: 32,
    });
  });

  const ACCOUNT = 'must be the name of a storage account: 3 to 24 lower-case letters and digits.';
  const CONCURRENCY = 'must be a whole number from 1 to 32 (default 16).';
  const HTTPS = 'must be a URL that begins with https://.';
  test.each([
    ['JOBS_STORAGE_ACCOUNT', 'ab', ACCOUNT],
    ['JOBS_STORAGE_ACCOUNT', 'a'.repeat(25), ACCOUNT],
    ['JOBS_STORAGE_ACCOUNT', 'Work', ACCOUNT],
    ['JOBS_STORAGE_ACCOUNT', 'work-1', ACCOUNT],
    ['JOBS_STORAGE_ACCOUNT', 'https://work.blob.core.windows.net', ACCOUNT],
    ['JOBS_WORKER', 'yes', 'must be one of: on, off.'],
    ['JOBS_CONCURRENCY', '0', CONCURRENCY],
    ['JOBS_CONCURRENCY', '33', CONCURRENCY],
    ['JOBS_CONCURRENCY', '1.5', CONCURRENCY],
    ['JobsStorage__blobServiceUri', 'work.blob.core.windows.net', HTTPS],
    ['JobsStorage__blobServiceUri', 'http://work.blob.core.windows.net', HTTPS],
    ['JobsStorage__queueServiceUri', 'http://10.0.0.4/work', HTTPS],
    ['JobsStorage__queueServiceUri', 'queue', HTTPS],
  ])('%s=%s is rejected', (name, value, fault) => {
    expect(read({ JOBS_STORAGE_ACCOUNT: 'work', [name]: value }).faults).toEqual({ [name]: fault });
  });

  test('JOBS_WORKER=on is rejected without an account, but JOBS_WORKER=off is not', () => {
    expect(read({ JOBS_WORKER: 'on' }).faults).toEqual({
      JOBS_STORAGE_ACCOUNT: 'is not set, but JOBS_WORKER=on needs it.',
    });
    expect(read({ JOBS_WORKER: 'off' }).faults).toEqual({});
  });
});
