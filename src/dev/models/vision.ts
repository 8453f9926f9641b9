import type { Model } from '@azure/arm-cognitiveservices';

/** A model that a region offers. */
export interface OfferedModel {
  readonly name: string;
  readonly version: string;
  readonly skus: readonly string[];
  /** Azure's name of the lifecycle stage: `Stable`, `GenerallyAvailable`, `Preview`, `Deprecating` … */
  readonly lifecycle: string;
  /** ISO 8601 date; null if Azure has no date. */
  readonly retires: string | null;
  /** Whether it answers at half the price with `service_tier: flex`, deployed as {@link FLEX_SKU}. */
  readonly flex: boolean;
}

/**
 * Names of models that can see images. Azure says which models can chat, but not which can see. Only the documentation
 * does: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/models
 */
const SEEING = /^(?:gpt-4o|gpt-4\.1|gpt-4\.5|gpt-[5-9]|o1|o3|o4)/;
/** Models with similar names that process audio, draw or search instead, or only read text. */
const NOT_SEEING = /audio|realtime|transcribe|tts|image|search|^o1-(?:mini|preview)|^o3-mini/;

/**
 * Models that take flex, as documented on 2026-10-06. Azure says only which SKUs a model has. Any other model answers
 * 400: https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing
 */
const FLEX_MODELS = new Set([
  'gpt-5.6-sol 2026-07-09',
  'gpt-5.6-terra 2026-07-09',
  'gpt-5.6-luna 2026-07-09',
  'gpt-6-astra 2026-09-03',
]);
const FLEX_SKU = 'GlobalStandard';

/** Returns whether an OpenAI model takes images in a chat. */
export function canSee(name: string): boolean {
  return SEEING.test(name) && !NOT_SEEING.test(name);
}

/** Returns when a model retires, as an ISO 8601 date. Null if the region does not list the model, or has no date. */
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

/** Returns the models of a region that take images in a chat, sorted by name and version. */
export function visionModels(models: readonly Model[]): readonly OfferedModel[] {
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
  // A region lists a model once for each kind of resource.
  const byName = new Map(offered.map((each) => [`${each.name} ${each.version}`, each]));
  return [...byName.values()].toSorted((a, b) => `${a.name} ${a.version}`.localeCompare(`${b.name} ${b.version}`));
}
