#pragma once

#include "model/asked_by.h"
#include "model/cluster.h"
#include "model/datum.h"
#include "model/history.h"
#include "model/mark.h"
#include "model/publication.h"
#include "msg/codec/archive.h"

// The values of the domain on the wire.
namespace muster::msg::codec {

template <>
struct LastOf<Role> {
    static constexpr Role value = Role::session;
};
template <>
struct LastOf<RemovalCause> {
    static constexpr RemovalCause value = RemovalCause::evicted;
};

template <>
struct LastOf<MemberPhase> {
    static constexpr MemberPhase value = MemberPhase::dead;
};

template <>
struct LastOf<Mark::Kind> {
    static constexpr Mark::Kind value = Mark::Kind::restored;
};

template <>
struct LastOf<HistoryRecord::What> {
    static constexpr HistoryRecord::What value = HistoryRecord::What::restored;
};

template <>
struct LastOf<HistoryRecord::Why> {
    static constexpr HistoryRecord::Why value = HistoryRecord::Why::marked;
};

template <>
inline constexpr bool kFinal<RegistOrder> = true;

template <class Ar>
void fields(Ar& ar, Of<Ar, RegistOrder> it) {
    auto& [version, timestamp_ms] = it;
    ar(version, timestamp_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Publication> it) {
    auto& [id, service, order, zone, app, client_address, boxes, attributes] = it;
    ar(id, service, order, name(zone), name(app), name(client_address), boxes, attributes);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Mark> it) {
    auto& [kind, since_ms, ramp_ms] = it;
    ar(kind, since_ms, ramp_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Departure> it) {
    auto& [id, order, connection] = it;
    ar(id, order, connection);
}

template <>
inline constexpr bool kFinal<Trace> = true;

template <class Ar>
void fields(Ar& ar, Of<Ar, Trace> it) {
    auto& [got_us, to_leader_us] = it;
    ar(got_us, to_leader_us);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorWord> it) {
    auto& [at, asked_by] = it;
    ar(at, asked_by);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, DatumChange> it) {
    auto& [service, from, to, upserts, removals, trace, digest] = it;
    ar(service, from, to, upserts, removals);
    ar.added(trace, digest);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, DatumSnapshot> it) {
    auto& [service, version, settled, publications, departed] = it;
    ar(service, version, settled, publications, departed);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Member> it) {
    auto& [node, role, address, incarnation, peer_address, zone, folder, phase] = it;
    ar(node, role, name(address), incarnation, name(peer_address), name(zone), folder, phase);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Slot> it) {
    auto& [leader, followers, epoch, floor] = it;
    ar(leader, followers, epoch, floor);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VersionGap> it) {
    auto& [above, below] = it;
    ar(above, below);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotTable> it) {
    auto& [epoch, slots] = it;
    ar(epoch, slots);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, HistoryRecord> it) {
    auto& [at_ms, slot, what, why, cause, id, client_address, addresses, by, version, asked_by] =
        it;
    ar(at_ms, slot, what, why, cause, id, name(client_address), addresses, by, version);
    ar.added(asked_by);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, HistoryLoss> it) {
    auto& [from_ms, to_ms, records] = it;
    ar(from_ms, to_ms, records);
}

}  // namespace muster::msg::codec
