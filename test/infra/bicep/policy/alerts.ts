import { JOBS } from '../../../../src/config/storage.ts';
import { at, type Deployment, list, type Resource } from '../deployment.ts';

const MAIL = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Insights\/actionGroups\//;

/** Checks what the alerts count, what they watch, and that they send mail from their own subscription. */
export function alerts(deployment: Deployment): string[] {
  const logAlerts = deployment.all('Microsoft.Insights/scheduledQueryRules');
  const throttling = deployment.all('Microsoft.Insights/metricAlerts');
  const workspace = deployment.only('Microsoft.OperationalInsights/workspaces').id;
  const watched = throttling.flatMap((alert) => list(alert, 'properties.scopes').map(String)).toSorted();
  return [
    ...logAlerts
      .filter((alert) => list(alert, 'properties.scopes').join() !== workspace)
      .map(({ name }) => `the alert ${name} does not query the workspace`),
    ...(watched.join() === deployment.models.toSorted().join() ? [] : [`throttling alerts watch ${watched.join()}`]),
    ...logAlertFaults(logAlerts, deployment.case.jobs),
    ...throttling.flatMap(throttlingFaults),
    ...[...logAlerts, ...throttling].flatMap((alert) => mailFaults(deployment, alert)),
  ];
}

const QUERIES = {
  // This uses the status, because `Success` is false for a wrong key, too.
  failures: 'AppRequests | where toint(ResultCode) >= 500',
  // Storage.Queues 5.3.10 logs: "Message has reached MaxDequeueCount of 10. Moving message to queue '…'."
  poison: `AppTraces | where Message has "Moving message to queue '${JOBS}-poison'"`,
} as const;

function logAlertFaults(logAlerts: readonly Resource[], jobs: true | undefined): string[] {
  const expected = [QUERIES.failures, ...(jobs ? [QUERIES.poison] : [])];
  const criteria = logAlerts.flatMap((alert) => list(alert, 'properties.criteria.allOf'));
  const queries = criteria.map((criterion) => String(at(criterion, 'query')));
  return [
    ...(queries.join(' and ') === expected.join(' and ') ? [] : [`the log alerts count ${queries.join(' and ')}`]),
    ...criteria.flatMap((criterion) => atLeast(criterion, 'Count')),
  ];
}

function throttlingFaults(alert: Resource): string[] {
  const [criterion] = list(alert, 'properties.criteria.allOf');
  const [dimension] = list(criterion, 'dimensions');
  const values = list(dimension, 'values').join();
  const counted = `${String(at(dimension, 'name'))} ${String(at(dimension, 'operator'))} ${values}`;
  const sameSubscription = list(alert, 'properties.scopes').every(
    (scope) => subscriptionOf(String(scope)) === subscriptionOf(alert.id),
  );
  return [
    ...(sameSubscription ? [] : [`${alert.name} watches an account in another subscription`]),
    ...(counted === 'StatusCode Include 429' ? [] : [`the throttling alert counts ${counted}`]),
    ...(at(criterion, 'metricNamespace') === 'Microsoft.CognitiveServices/accounts'
      ? []
      : ['the throttling alert uses another metric namespace']),
    ...(at(criterion, 'metricName') === 'AzureOpenAIRequests' ? [] : ['the throttling alert uses another metric']),
    ...(at(criterion, 'criterionType') === 'StaticThresholdCriterion'
      ? []
      : ['the throttling alert has no fixed threshold']),
    ...(at(criterion, 'skipMetricValidation') === true
      ? []
      : ['Azure rejects the alert, because a new account has no metric yet']),
    ...atLeast(criterion, 'Total'),
  ];
}

function atLeast(criterion: unknown, aggregation: string): string[] {
  const found = `${String(at(criterion, 'timeAggregation'))} ${String(at(criterion, 'operator'))}`;
  const threshold = Number(at(criterion, 'threshold'));
  return found === `${aggregation} GreaterThanOrEqual` && threshold > 0
    ? []
    : [`an alert fires at ${found} ${threshold}`];
}

function mailFaults(deployment: Deployment, alert: Resource): string[] {
  const groups = [
    ...list(alert, 'properties.actions.actionGroups'),
    ...list(alert, 'properties.actions').map((action) => at(action, 'actionGroupId')),
  ].map(String);
  if (!deployment.case.alertEmail)
    return groups.length === 0 ? [] : [`${alert.name} sends mail, although alertEmail is not set`];
  const there = new Set(deployment.all('Microsoft.Insights/actionGroups').map(({ id }) => id));
  const right = groups.filter(
    (group) => MAIL.test(group) && there.has(group) && subscriptionOf(group) === subscriptionOf(alert.id),
  );
  return right.length === 1 && groups.length === 1
    ? []
    : [`${alert.name} sends mail with ${groups.join() || 'no action group'}`];
}

function subscriptionOf(id: string): string | undefined {
  return id.split('/')[2];
}
