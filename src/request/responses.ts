import { isRecord } from '../config/json-object.ts';
import { Faults, invalidBody } from '../http/problem.ts';
import { type Attachment, type AttachmentLimits, placeAttachments } from './attachments.ts';
import type { OpenAiRequest } from './chat.ts';
import type { ReadImage } from '../image/image-reader.ts';
import type { LargeJson } from './large-json.ts';

/** Parameters that need the service to store conversations, and what the caller should do instead. */
const NEEDS_STORAGE = {
  previous_response_id: 'is not supported, since nothing is stored: send the whole conversation in input',
  conversation: 'is not supported, since nothing is stored: send the whole conversation in input',
  background: 'is not supported, since nothing is stored: leave it out, and wait for the answer or stream it',
};
const STORED_ITEM = 'is an item_reference, which is not supported, since nothing is stored: send the item itself';
const STORED_FILE = 'is not supported, since no files are stored: send the bytes as a data URL';

/**
 * Reads a request in OpenAI's Responses format. It checks images and files, and refuses parameters that need stored
 * data. It sends `store: false`, and drops reasoning items without content. Everything else goes to the model
 * unchanged.
 * @throws {Problem} about the document, its images or its files
 */
export async function readResponsesRequest(
  json: LargeJson,
  limits: AttachmentLimits,
  readImage: ReadImage,
): Promise<OpenAiRequest> {
  const { value } = json;
  if (!isRecord(value)) throw invalidBody('must be a JSON object');
  const items: unknown[] | undefined = Array.isArray(value['input']) ? value['input'] : undefined;
  const found: Found = { attachments: [], faults: new Faults() };
  noteParameters(value, found);
  noteReferences(items ?? [], found);
  search(items, 'input', found);
  search(withoutSchemas(value['tools']), 'tools', found);
  if (!found.faults.isEmpty) throw found.faults.toProblem();

  const { images, bytes } = await placeAttachments(json, found.attachments, limits, readImage);
  const input = items ? items.filter((item) => !isLostReasoning(item)) : value['input'];
  const params = await json.restore({ ...value, input });
  return {
    request: {
      api: 'responses',
      params: { ...(isRecord(params) ? params : {}), store: false },
      images: bytes,
      isCallersOwn: true,
    },
    images,
    stream: value['stream'] === true,
  };
}

interface Found {
  readonly attachments: Attachment[];
  readonly faults: Faults;
}

/** Finds parameters that need the service to store conversations. */
function noteParameters(value: Readonly<Record<string, unknown>>, { faults }: Found): void {
  for (const [field, message] of Object.entries(NEEDS_STORAGE)) {
    const given = value[field];
    if (given !== undefined && given !== null && given !== false) faults.add(() => ({ field, message }));
  }
}

/** Finds references to stored items. Their type may be absent: an item that has only an id is a reference. */
function noteReferences(items: readonly unknown[], { faults }: Found): void {
  for (const [at, item] of items.entries()) {
    if (!isRecord(item) || isLostReasoning(item)) continue;
    const isBare = typeof item['id'] === 'string' && Object.keys(item).every((name) => name === 'id' || !item[name]);
    if (item['type'] === 'item_reference' || isBare)
      faults.add(() => ({ field: `input[${at}]`, message: STORED_ITEM }));
  }
}

/**
 * Returns whether an item is reasoning that the service cannot read. Agents send the model's earlier reasoning back, or
 * refer to it. Without encrypted content it is empty, and the service refuses the request, because it did not store it.
 */
function isLostReasoning(item: unknown): boolean {
  if (!isRecord(item)) return false;
  const { type, id, encrypted_content: content } = item;
  return type === 'reasoning' ? !content : type === 'item_reference' && typeof id === 'string' && id.startsWith('rs_');
}

/** Leaves out function tools: the schema of their arguments may use names such as `image_url` for anything. */
function withoutSchemas(tools: unknown): unknown {
  return Array.isArray(tools) ? tools.filter((tool) => !isRecord(tool) || tool['type'] !== 'function') : tools;
}

/** Finds images and files wherever they may be: in messages, tool results and screenshots. */
function search(value: unknown, field: string, found: Found): void {
  if (Array.isArray(value)) {
    for (const [at, each] of value.entries()) search(each, `${field}[${at}]`, found);
  } else if (isRecord(value)) {
    const { type, file_id: fileId, file_ids: fileIds } = value;
    if (typeof fileId === 'string') found.faults.add(() => ({ field: `${field}.file_id`, message: STORED_FILE }));
    if (Array.isArray(fileIds) && fileIds.length > 0)
      found.faults.add(() => ({ field: `${field}.file_ids`, message: STORED_FILE }));
    if (type === 'input_file') noteFile(value, field, found);
    else if (type === 'input_image' || typeof value['image_url'] === 'string') noteImage(value, field, found);
    for (const [name, member] of Object.entries(value)) {
      // Annotations of an earlier answer may name stored files, but do not ask the service to read them.
      if (member instanceof Object && name !== 'annotations') search(member, `${field}.${name}`, found);
    }
  }
}

function noteImage(holder: Record<string, unknown>, at: string, { attachments, faults }: Found): void {
  const { image_url: url, file_id: fileId } = holder;
  if (typeof fileId === 'string') return; // search() has refused it
  const field = `${at}.image_url`;
  if (typeof url === 'string') {
    attachments.push({ kind: 'image', field, url, replace: (placed) => (holder['image_url'] = placed) });
  } else {
    faults.add(() => ({ field, message: 'must be a string with a data URL: data:image/png;base64,…' }));
  }
}

function noteFile(holder: Record<string, unknown>, at: string, { attachments, faults }: Found): void {
  const { file_data: url, file_id: fileId, file_url: address } = holder;
  if (typeof fileId === 'string') return; // search() has refused it
  if (typeof address === 'string') {
    faults.add(() => ({
      field: `${at}.file_url`,
      message: 'is not supported, since nothing is fetched: send the bytes in file_data',
    }));
  } else if (typeof url === 'string') {
    const replace = (placed: string): string => (holder['file_data'] = placed);
    attachments.push({ kind: 'pdf', field: `${at}.file_data`, url, replace });
  } else {
    faults.add(() => ({
      field: `${at}.file_data`,
      message: 'must be a PDF file as a data URL: data:application/pdf;base64,…',
    }));
  }
}
