import type { Model } from '@azure/arm-cognitiveservices';

/** A model that a region offers. */
export interface OfferedModel {
  readonly name: string;
  readonly version: string;
  readonly skus: readonly string[];
  /** `Stable`, `GenerallyAvailable`, `Preview`, `Deprecating` … as Azure says it. */
  readonly lifecycle: string;
  /** ISO 8601 date; null where Azure tells none. */
  readonly retires: string | null;
  /** Whether it answers at half the price with `service_tier: flex`, deployed as {@link FLEX_SKU}. */
  readonly flex: boolean;
}

/**
 * Azure tells which models chat, but of none that it can see: that is in the documentation alone.
 * https://learn.microsoft.com/azure/ai-foundry/openai/concepts/models
 */
const SEEING = /^(?:gpt-4o|gpt-4\.1|gpt-4\.5|gpt-[5-9]|o1|o3|o4)/;
/** Relatives of those that hear, speak, draw or search instead, or only read. */
const NOT_SEEING = /audio|realtime|transcribe|tts|image|search|^o1-(?:mini|preview)|^o3-mini/;

/**
 * Azure tells only the SKUs. Which models take flex is in the documentation alone, here as of 2026-10-06; any other answers 400.
 * https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing
 */
const FLEX_MODELS = new Set([
  'gpt-5.6-sol 2026-07-09',
  'gpt-5.6-terra 2026-07-09',
  'gpt-5.6-luna 2026-07-09',
  'gpt-6-astra 2026-09-03',
]);
const FLEX_SKU = 'GlobalStandard';

/** Whether a model of OpenAI's takes images in a chat. */
export function canSee(name: string): boolean {
  return SEEING.test(name) && !NOT_SEEING.test(name);
}

/** When a model retires; null where the region does not list it, or with no date. */
export function retirementOf(
  { name, version }: { name: string; version: string },
  models: readonly Model[],
): string | null {
  return (
    models
      .find(({ model }) => model?.name === name && model.version === version)
      ?.model?.deprecation?.inference?.slice(0, 10) ?? null
  );
}

/** The models of a region that take images in a chat, by name and version. */
export function seeing(models: readonly Model[]): readonly OfferedModel[] {
  const offered = models.flatMap(({ model }) => {
    const { format, name = '', version = '', capabilities, skus, lifecycleStatus, deprecation } = model ?? {};
    if (format !== 'OpenAI' || capabilities?.['chatCompletion'] !== 'true' || !canSee(name)) return [];
    const skuNames = (skus ?? []).flatMap((sku) => sku.name ?? []);
    return [
      {
        name,
        version,
        skus: skuNames,
        lifecycle: lifecycleStatus ?? 'unknown',
        retires: deprecation?.inference?.slice(0, 10) ?? null,
        flex: FLEX_MODELS.has(`${name} ${version}`) && skuNames.includes(FLEX_SKU),
      },
    ];
  });
  const byName = new Map(offered.map((each) => [`${each.name} ${each.version}`, each])); // a region lists a model once for each kind of resource
  return [...byName.values()].toSorted((a, b) => `${a.name} ${a.version}`.localeCompare(`${b.name} ${b.version}`));
}
