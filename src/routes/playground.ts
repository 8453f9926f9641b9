import type { Handle } from '../http/create-handler.ts';
import type { Limits } from '../config/limits.ts';
import type { PageSettings } from '../playground/page-settings.ts';
import page from '../playground/page.html';

/** The page's own style and script, images that the user chose, and requests to this app: nothing else loads or leaves. */
const CONTENT_SECURITY_POLICY = [
  `default-src 'none'`,
  `style-src ${page.styleHash}`,
  `script-src ${page.scriptHash}`,
  `img-src blob: data:`,
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
  `require-trusted-types-for 'script'`,
  `trusted-types 'none'`,
].join('; ');

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** `GET /api/playground`: a page to try it on. */
export function playground(limits: Limits, authLevel: PageSettings['authLevel']): Handle {
  const html = render({ ...limits, authLevel });
  return async () => ({ status: 200, headers: HEADERS, body: html });
}

function render({
  authLevel,
  maxImages,
  maxImageBytes,
  maxBodyBytes,
  maxInstructions,
  maxOutputTokens,
}: PageSettings): string {
  const settings: PageSettings = {
    authLevel,
    maxImages,
    maxImageBytes,
    maxBodyBytes,
    maxInstructions,
    maxOutputTokens,
  };
  // Numbers and one of two words: nothing in it needs escaping within single quotes.
  return page.html.replace('data-settings=""', `data-settings='${JSON.stringify(settings)}'`);
}
