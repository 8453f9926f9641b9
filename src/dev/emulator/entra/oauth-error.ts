import { type Answer, jsonAnswer } from '../answer.ts';

/** Creates an error of Entra: OAuth's format, with an AADSTS code. */
export function oauthError(status: number, error: string, code: number, description: string): Answer {
  return jsonAnswer(status, {
    error,
    error_description:
      `AADSTS${code}: ${description} Trace ID: 00000000-0000-4000-8000-00000000aaaa Correlation ID: ` +
      `00000000-0000-4000-8000-00000000bbbb Timestamp: ${new Date().toISOString()}`,
    error_codes: [code],
    timestamp: new Date().toISOString(),
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}
