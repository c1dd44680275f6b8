#pragma once

#include "msg/codec/archive.h"
#include "msg/codec/brake_fields.h"
#include "msg/codec/data_data_fields.h"
#include "msg/node_meta.h"

// The messages of msg/node_meta.h on the wire.
namespace muster::msg::codec {

template <>
inline constexpr bool kFinal<PutTurn> = true;

template <class Ar>
void fields(Ar& ar, Of<Ar, PutTurn> it) {
    auto& [term, number] = it;
    ar(term, number);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, CopyState> it) {
    auto& [slot, held, synced] = it;
    ar(slot, held, synced);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ClientLoad> it) {
    auto& [session, clients, capacity] = it;
    ar(session, clients, capacity);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ClientLoads> it) {
    auto& [version, hold, sessions] = it;
    ar(version, hold, sessions);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NodeHeartbeat::Lost> it) {
    auto& [node, life] = it;
    ar(node, life);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NodeHeartbeat> it) {
    auto& [member, table_epoch, members_epoch, copies, copies_whole, lost, version, publications,
           removals, brakes, clients, client_capacity, loads_version] = it;
    ar(member, table_epoch, members_epoch, copies, copies_whole, lost, version, publications,
       removals, brakes, clients, client_capacity, loads_version);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ConfigInterest::Item> it) {
    auto& [key, held] = it;
    ar(key, held);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ConfigInterest> it) {
    auto& [items] = it;
    ar(items);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, PutTurnRequest> it) {
    auto& [incarnation, request] = it;
    ar(incarnation, request);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ConfigPut> it) {
    auto& [incarnation, request, turn, key, value] = it;
    ar(incarnation, request, turn, key, value);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NodeHeartbeatReply> it) {
    auto& [incarnation, known_before, version_ceiling, table, members_epoch, members, want_copies,
           braking, loads] = it;
    ar(incarnation, known_before, version_ceiling, table, members_epoch, members, want_copies,
       braking, loads);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ViewRequest> it) {
    auto& [table_epoch] = it;
    ar(table_epoch);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ViewReply> it) {
    auto& [table, members_epoch, members, version_ceiling] = it;
    ar(table, members_epoch, members, version_ceiling);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NodeRefused> it) {
    auto& [incarnation, folder, why] = it;
    ar(incarnation, folder, why);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ConfigValue> it) {
    auto& [key, version, value] = it;
    ar(key, version, nullable(value));
}

template <class Ar>
void fields(Ar& ar, Of<Ar, PutTurnReply> it) {
    auto& [incarnation, request, turn] = it;
    ar(incarnation, request, turn);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ConfigPutReply> it) {
    auto& [incarnation, request, result] = it;
    ar(incarnation, request, result);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest::ReportCluster> /*it*/) {
    ar();
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest::MoveSlot> it) {
    auto& [slot, to] = it;
    ar(slot, to);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest::StopPlacement> /*it*/) {
    ar();
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest::StartPlacement> /*it*/) {
    ar();
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest::ForcePlacement> /*it*/) {
    ar();
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest::RemoveMember> it) {
    auto& [node, role] = it;
    ar(node, role);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorRequest> it) {
    auto& [incarnation, request, what] = it;
    ar(incarnation, request, what);
}

template <>
struct LastOf<ClusterReport::Placement> {
    static constexpr ClusterReport::Placement value = ClusterReport::Placement::forced;
};

template <class Ar>
void fields(Ar& ar, Of<Ar, ClusterReport::MemberLine> it) {
    auto& [member, known_before, silent_ms, slots_led, slots_followed, clients] = it;
    ar(member, known_before, silent_ms, slots_led, slots_followed, clients);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ClusterReport::CopyLine> it) {
    auto& [node, state] = it;
    ar(node, state);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ClusterReport> it) {
    auto& [leader, term, metas, table, members_epoch, version_ceiling, members, copies, placement,
           protected_why, moving, wishes] = it;
    ar(leader, term, metas, table, members_epoch, version_ceiling, members, copies, placement,
       protected_why, moving, wishes);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OperatorReply> it) {
    auto& [incarnation, request, result, report] = it;
    ar(incarnation, request, result, nullable(report));
}

}  // namespace muster::msg::codec
