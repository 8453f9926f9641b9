import { once } from '../config/once.ts';
import type { Handle, Reply } from '../http/create-handler.ts';
import type { PageSettings } from '../playground/page-settings.ts';
import type { Published } from './route.ts';

/** `GET /api/playground`: a page to try the app on. */
export function playground(published: Published): Handle {
  return once(async () => page(published));
}

async function page({ limits, authLevel, jobs }: Published): Promise<Reply> {
  const { html, styleHash, scriptHash } = (await import('../playground/page.html')).default;
  const { maxImages, maxImageBytes, maxBodyBytes, maxInstructions, maxOutputTokens } = limits;
  const settings: PageSettings = {
    authLevel,
    jobs,
    maxImages,
    maxImageBytes,
    maxBodyBytes,
    maxInstructions,
    maxOutputTokens,
  };
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(styleHash, scriptHash),
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
    // Numbers, one of two words, and a container's URL: nothing in it needs escaping within single quotes.
    body: html.replace('data-settings=""', `data-settings='${JSON.stringify(settings)}'`),
  };
}

/** The page's own style and script, images that the user chose, and requests to this app: nothing else loads or leaves. */
function contentSecurityPolicy(styleHash: string, scriptHash: string): string {
  return [
    `default-src 'none'`,
    `style-src ${styleHash}`,
    `script-src ${scriptHash}`,
    `img-src blob: data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types 'none'`,
  ].join('; ');
}
