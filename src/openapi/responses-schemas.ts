import type { SchemaObject } from 'openapi3-ts/oas31';

/** As much of OpenAI's Responses and Models as this app looks at. All else goes through as it came, so these stay open. */
export const responsesSchemas: Record<string, SchemaObject> = {
  ResponsesRequest: {
    type: 'object',
    properties: {
      model: { type: 'string', description: "Replaced by this app's deployment" },
      input: {
        type: ['string', 'array', 'null'],
        items: { type: 'object' },
        description:
          'Parts of type `input_image` must hold data URLs, and their images pass the same checks as those of /processImage. ' +
          'Parts of type `input_file` must hold PDF files as data URLs. Items that refer to stored ones are refused',
      },
      stream: { type: ['boolean', 'null'] },
      store: { type: ['boolean', 'null'], description: 'Sent as false, whatever it says' },
      previous_response_id: { type: 'null', description: 'Refused, since nothing is stored; so is `conversation`' },
      background: { enum: [false, null], description: 'Refused where it is true, since nothing is stored' },
    },
    additionalProperties: true,
  },
  ModelResponse: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      object: { const: 'response' },
      status: { type: 'string', examples: ['completed', 'incomplete'] },
      model: { type: 'string' },
      output: { type: 'array', items: { type: 'object' } },
      usage: { type: ['object', 'null'] },
    },
    required: ['id', 'object', 'output'],
    additionalProperties: true,
  },
  ResponseEvent: {
    type: 'object',
    properties: { type: { type: 'string', pattern: '^response\\.' }, sequence_number: { type: 'integer' } },
    required: ['type'],
    additionalProperties: true,
  },
  ModelObject: {
    type: 'object',
    properties: {
      id: { type: 'string', minLength: 1, description: "The deployment's name" },
      object: { const: 'model' },
      created: { type: 'integer', description: '0: only the control plane knows' },
      owned_by: { type: 'string' },
    },
    required: ['id', 'object', 'created', 'owned_by'],
    additionalProperties: false,
    examples: [{ id: 'gpt-vision', object: 'model', created: 0, owned_by: 'azure' }],
  },
};
