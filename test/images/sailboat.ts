/**
 * Draws the pictures for the README and the Postman collection: `node test/images/sailboat.ts`.
 * `sailboat.heic` is `sailboat.jpg` at 256 x 192 pixels, made with `heif-enc -q 75` of Debian's libheif-examples.
 */
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640" viewBox="0 0 960 640">
  <defs>
    <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#27476e"/><stop offset=".55" stop-color="#e08e6d"/><stop offset="1" stop-color="#ffd9a0"/>
    </linearGradient>
    <linearGradient id="sea" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="#d98f6f"/><stop offset=".25" stop-color="#3f6d8c"/><stop offset="1" stop-color="#16324f"/>
    </linearGradient>
  </defs>
  <rect width="960" height="420" fill="url(#sky)"/>
  <circle cx="690" cy="385" r="62" fill="#fff1c9"/>
  <path d="M0 420 L140 352 L250 398 L390 330 L560 420 Z" fill="#3a4a63" opacity=".75"/>
  <rect y="420" width="960" height="220" fill="url(#sea)"/>
  <g fill="#ffe7bd" opacity=".75">
    <rect x="640" y="432" width="104" height="5" rx="2"/><rect x="655" y="450" width="76" height="5" rx="2"/>
    <rect x="628" y="470" width="120" height="5" rx="2"/><rect x="662" y="492" width="60" height="5" rx="2"/>
  </g>
  <path d="M330 180 L330 452 L190 452 C262 380 306 290 330 180 Z" fill="#fdf6e8"/>
  <path d="M344 214 L344 452 L446 452 C420 360 384 280 344 214 Z" fill="#d9473f"/>
  <rect x="332" y="166" width="8" height="300" fill="#5b3a29"/>
  <path d="M160 464 L480 464 C464 516 430 532 396 532 L236 532 C200 532 172 508 160 464 Z" fill="#7b4b31"/>
  <path d="M90 548 q40 -16 80 0 t80 0 t80 0 t80 0 t80 0" fill="none" stroke="#cfe3ee" stroke-width="6" opacity=".7"/>
</svg>`;

const large = sharp(Buffer.from(svg));
await large.clone().jpeg({ quality: 82, mozjpeg: true }).toFile(pathOf('sailboat.jpg'));
await large.clone().resize(96).webp({ quality: 70 }).toFile(pathOf('sailboat-small.webp'));

const still = await large.clone().resize(48).raw().toBuffer({ resolveWithObject: true });
const dark = still.data.map((value) => value / 2);
const { width, height, channels } = still.info;
await sharp(Buffer.concat([still.data, dark]), { raw: { width, height: height * 2, channels, pageHeight: height } })
  .gif({ loop: 0, delay: 500, colours: 16 })
  .toFile(pathOf('sailboat-animated.gif'));

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
