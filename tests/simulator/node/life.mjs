// The whole life of an item, seen by the Azure SDK for JavaScript: home, protected again, and every state named.
// Usage: NODE_EXTRA_CA_CERTS=ca.pem node life.mjs <https url>. Prints the states as JSON.
import { SiteRecoveryManagementClient } from "@azure/arm-recoveryservices-siterecovery";

const [url] = process.argv.slice(2);
const [group, vault, name] = ["contoso-dr", "contoso-vault", "ContosoWin2016"];
const away = ["asr-eastus", "asr-eastus-container"];
const home = ["asr-centralus", "asr-centralus-container"];
const subscription = "11111111-1111-1111-1111-111111111111";

const credential = {
  async getToken() {
    const asked = `${url}/msi/token?api-version=2019-08-01&resource=https://management.azure.com`;
    const answer = await fetch(asked, { headers: { "X-IDENTITY-HEADER": "simulator" } });
    const body = await answer.json();
    return { token: body.access_token, expiresOnTimestamp: Number(body.expires_on) * 1000 };
  },
};
const client = new SiteRecoveryManagementClient(credential, subscription, {
  endpoint: url,
});
const items = client.replicationProtectedItems;
const pause = () => new Promise((done) => setTimeout(done, 50));

// By hand, since the first answer's Retry-After would make the SDK's own wait last half a minute.
async function finish(poller) {
  while (!poller.isDone()) {
    await pause();
    await poller.poll();
  }
  return poller.getResult();
}

const states = [];
async function look(where) {
  const item = await items.get(vault, group, ...where, name);
  const { protectionState, testFailoverState, allowedOperations } = item.properties;
  states.push([protectionState, testFailoverState, allowedOperations]);
  return item;
}

const direction = { failoverDirection: "PrimaryToRecovery" };
const details = { providerSpecificDetails: { instanceType: "A2A" } };
const network = { networkType: "VmNetworkAsInput", networkId: "/subscriptions/x/isolated" };
await look(away);
await finish(
  await items.beginTestFailover(vault, group, ...away, name, {
    properties: { ...direction, ...network, ...details },
  }),
);
await look(away);
await finish(
  await items.beginTestFailoverCleanup(vault, group, ...away, name, {
    properties: { comments: "done" },
  }),
);
await look(away);
await finish(
  await items.beginUnplannedFailover(vault, group, ...away, name, {
    properties: { ...direction, sourceSiteOperations: "Required", ...details },
  }),
);
await look(away);
const points = [];
for await (const point of client.recoveryPoints.listByReplicationProtectedItems(vault, group, ...away, name)) {
  points.push(point);
}
await finish(
  await items.beginApplyRecoveryPoint(vault, group, ...away, name, {
    properties: { recoveryPointId: points[0].id, ...details },
  }),
);
await look(away);
await finish(await items.beginFailoverCommit(vault, group, ...away, name));
const committed = await look(away);
const vmManagedDisks = committed.properties.providerSpecificDetails.protectedManagedDisks.map(
  (disk) => ({
    diskId: disk.recoveryTargetDiskId,
    primaryStagingAzureStorageAccountId: "/subscriptions/x/cache",
    recoveryResourceGroupId: "/subscriptions/x/resourceGroups/g",
  }),
);
await finish(
  await client.replicationProtectionContainers.beginSwitchProtection(vault, group, ...away, {
    properties: {
      replicationProtectedItemName: name,
      providerSpecificDetails: { instanceType: "A2A", vmManagedDisks },
    },
  }),
);
let item = await items.get(vault, group, ...home, name);
while (item.properties.protectionState !== "Protected") {
  await pause();
  item = await items.get(vault, group, ...home, name);
}
await look(home);
console.log(JSON.stringify(states));
