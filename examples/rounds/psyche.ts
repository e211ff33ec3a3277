/**
 * Psyche: witnesses say whose messages they have, and verifiers, which upstream leaves open, compute messages
 * again: `./verde rounds run examples/rounds/psyche.ts --out out/a`
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { before, defineRounds, each, now, own, turn } from "@verde-ml/verde/rounds";
import { digits } from "../digits.ts";
import { f32, forEach, i32, read, readAll } from "./entries.ts";
import { quorumOf, RUN, tick } from "./psyche-coordinator.ts";
import { count as tally, plus, times } from "./psyche-hash.ts";
import { drawn, idsOf, onlineOf } from "./psyche-roles.ts";
import { batchOf, commitmentOf, contribute, extentsOf, layersOf, moved } from "./psyche-train.ts";
import { judged, one, says } from "./psyche-witness.ts";

const { count, fillInt, intTensor, logicalAnd, lt, option, slice, stack, where } = job;

export default defineRounds({
  name: "psyche",
  rounds: 8,
  seed: 1,
  options: {
    clients: count(5, "how many clients there are"),
    witnesses: count(3, "how many of them are witnesses in a round"),
    percent: count(20, "how many of a hundred verify, instead of training", { from: 0, to: 100 }),
    units: count(13, "parts of a round's batch that are assigned"),
    rows: count(8, "examples in a part"),
    updates: count(6, "steps of training until the run has finished"),
    least: count(3, "clients without which an epoch ends"),
    absent: option("none", "which clients miss which rounds: 3@2,3@4 is client-3 in the rounds 2 and 4"),
    hidden: count(16, "width of the hidden layer"),
    rate: option(3e-3, "learning rate"),
    decay: option(0.999, "how much of the momentum stays in a step"),
    chunk: count(16, "the greatest side of a chunk that is transformed"),
    keep: count(4, "coefficients of a chunk that are sent"),
  },
  members: ({ clients }) => ({ coordinator: 1, client: clients }),
  data(role, _, { clients, rounds, absent }) {
    const [ids, online] = [idsOf(clients), onlineOf(absent, clients, rounds)];
    // The coordinator looks twice a round, each ten seconds.
    if (role === "coordinator") return { ids, online, clock: intTensor([rounds + 1, 2], Array.from({ length: 2 * rounds + 2 }, (_, i) => 10 * i)) }; // prettier-ignore
    const { images, labels } = digits();
    return { ids, online, images: job.tensor([labels.data.length, 64], images.data), labels };
  },
  turns({ clients: n, witnesses, percent, units, rows, updates, least, hidden, ...sparsity }) {
    const config = { initMin: n, min: least, witnesses, steps: updates, extra: 5, warmup: 5, train: 15, witness: 5, cooldown: 5, epoch: 10_000 }; // prettier-ignore
    const layers = Object.entries(layersOf(hidden));
    const names = layers.map(([name]) => name);
    const weightTypes = Object.fromEntries(layers.map(([name, shape]) => [name, f32(...shape)]));
    const rolesTypes = forEach(["verifier", "trainer", "target", "witness", "start", "size"], () => i32(n));
    const sentTypes = { commitments: i32(32), online: i32() };
    const saidTypes = { participants: i32(32), broadcasts: i32(32), root: i32(32), keys: i32(8), accused: i32(), isIn: i32() }; // prettier-ignore
    const runTypes = { ...forEach(["run", "since", "step", "last", "begun", "pausing", "witnesses"], () => i32()), clients: i32(n), gone: i32(n) }; // prettier-ignore
    /** The rows of a round for whoever trains on most of them. */
    const most = Math.ceil(units / Math.max(1, least - Math.floor((least * percent) / 100))) * rows;
    const open = turn({
      by: "coordinator",
      reads: { last: before("close") },
      entries: () => rolesTypes,
      begin({ reads: { last }, data }) {
        const { run, clients } = read(last, runTypes);
        return drawn(where(job.eq(run, RUN.train), clients, 0), slice(data.seed, 0, 0, 2), { units, witnesses, percent }); // prettier-ignore
      },
    });
    const local = turn({
      by: "client",
      reads: { roles: now("open"), last: before("close"), weights: before("apply"), peers: each("local", 1) },
      entries: () => Object.assign({ ...sentTypes }, ...layers.map(([name, shape]) => ({ [`values/${name}`]: f32(...extentsOf(shape, sparsity).sent), [`places/${name}`]: i32(...extentsOf(shape, sparsity).sent), [`momentum/${name}`]: weightTypes[name] }))), // prettier-ignore
      begin({ reads: { roles, last, weights, peers }, data }) {
        const { target, start, size, trainer } = read(roles, rolesTypes);
        // A verifier computes what the trainer has to send that it checks: all of its state is in the record.
        const who = one(target, data.member);
        const first = plus(times(read(last, runTypes).step, units), one(start, who));
        const batch = batchOf(data, { first: times(first, rows), size: times(one(size, who), rows), most });
        const of = (client: Value) => forEach(names, (name) => one(stack(peers.map((peer) => peer.entry(`momentum/${name}`, weightTypes[name]))), client)); // prettier-ignore
        const sent = contribute(read(weights, weightTypes), of(who), batch, sparsity);
        const [trains, kept] = [one(trainer, data.member), of(data.member)];
        const parts = names.map((name) => ({ [`values/${name}`]: sent[name].values, [`places/${name}`]: sent[name].places, [`momentum/${name}`]: where(trains, sent[name].left, kept[name]) })); // prettier-ignore
        return Object.assign({ commitments: commitmentOf(sent), online: one(one(data.online, data.round), data.member) }, ...parts); // prettier-ignore
      },
    });
    const witness = turn({
      by: "client",
      reads: { roles: now("open"), sent: each("local") },
      entries: () => saidTypes,
      begin: ({ reads: { roles, sent }, data }) =>
        says(read(roles, rolesTypes), { ...readAll(sent, sentTypes), ids: data.ids }, { member: data.member, keys: data.seed }), // prettier-ignore
    });
    const close = turn({
      by: "coordinator",
      reads: { roles: now("open"), sent: each("local"), said: each("witness"), own: own() },
      entries: () => ({ ...runTypes, ...forEach(["healthy", "accepted", "accused", "counts"], () => i32(n)), runs: i32(2), run: { ...i32(), init: ({ seed }) => fillInt(seed.builder, [], RUN.waiting) } }), // prettier-ignore
      begin({ reads: { roles, sent, said, own: old }, data }) {
        const heard = said.map((port) => read(port, saidTypes));
        const found = judged(heard, read(roles, rolesTypes), { ...readAll(sent, sentTypes), ids: data.ids }, quorumOf(witnesses)); // prettier-ignore
        const from = read(old, runTypes);
        const arrived = tally(stack(heard.map(({ isIn }) => isIn)));
        // Without a witness nobody can say who has dropped.
        const isKnown = logicalAnd(job.eq(from.run, RUN.train), lt(0, arrived));
        const none = fillInt(arrived.builder, [], 0);
        const event = { pending: one(data.online, data.round), dropped: logicalAnd(isKnown, job.logicalNot(found.healthy)), command: none }; // prettier-ignore
        const [first, second] = job.unbind(one(data.clock, data.round), 0);
        const between = tick(config, from, { ...event, now: first, arrived });
        const after = tick(config, between, { ...event, now: second, arrived: none });
        return { ...after, ...found, runs: stack([between.run, after.run]) };
      },
    });
    const apply = turn({
      by: "client",
      reads: { last: now("close"), sent: each("local"), own: own() },
      entries: () => forEach(names, (name) => ({ ...weightTypes[name], init: job.normal(name.endsWith("Bias") ? 0 : 0.1) })), // prettier-ignore
      begin({ reads: { last, sent, own: old } }) {
        const counts = job.unbind(last.entry("counts"), 0);
        const messages = (name: string) => sent.map((port, i) => ({ values: port.entry(`values/${name}`), places: port.entry(`places/${name}`), counts: counts[i] })); // prettier-ignore
        return forEach(names, (name) => moved(old.entry(name), messages(name), sparsity));
      },
    });
    return { open, local, witness, close, apply };
  },
});
