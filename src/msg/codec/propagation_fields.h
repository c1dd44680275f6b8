#pragma once

#include "msg/codec/archive.h"
#include "msg/codec/data_data_fields.h"
#include "msg/codec/model_fields.h"
#include "msg/propagation.h"

// The messages of msg/propagation.h on the wire.
namespace muster::msg::codec {

template <>
struct LastOf<Scope> {
    static constexpr Scope value = Scope::global;
};

template <class Ar>
void fields(Ar& ar, Of<Ar, NewestRequest> it) {
    auto& [incarnation, request, service] = it;
    ar(incarnation, request, service);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NewestReply> it) {
    auto& [incarnation, request, leads, settled, version, publications, drained] = it;
    ar(incarnation, request, leads, settled, version, publications, drained);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ReachRequest> it) {
    auto& [incarnation, request, asker, asker_role, session, service, version, without, limit,
           measure_ms] = it;
    ar(incarnation, request, asker, asker_role, session, service, version, without, limit);
    ar.added(measure_ms);
}

template <>
struct LastOf<Stage> {
    static constexpr Stage value = Stage::end_to_end;
};

template <class Ar>
void fields(Ar& ar, Of<Ar, StageCounts> it) {
    auto& [stage, counts, sum_us, max_us, below_zero] = it;
    ar(stage, counts, sum_us, max_us, below_zero);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SubscriberLine> it) {
    auto& [client_address, door, app, scope, zone, subscriptions, acknowledged, in_flight, behind,
           congested, changes, behind_ms] = it;
    ar(client_address, name(door), name(app), scope, name(zone), subscriptions, acknowledged,
       in_flight, behind, congested, changes, behind_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ReachReply> it) {
    auto& [incarnation, request, asker, asker_role, session, version, complete, lists, behind,
           congested, lines, stages, measured_ms] = it;
    ar(incarnation, request, asker, asker_role, session, version, complete, lists, behind,
       congested, lines);
    ar.added(stages, measured_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, MarkRequest> it) {
    auto& [incarnation, request, service, address, kind, ramp_ms, since, asked_by] = it;
    ar(incarnation, request, service, address, kind, ramp_ms, since);
    ar.added(asked_by);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, MarkReply> it) {
    auto& [incarnation, request, result, ids, changed, others, version, since, copies, lacking] =
        it;
    ar(incarnation, request, result, ids, changed, others, version, since, copies, lacking);
}

}  // namespace muster::msg::codec
