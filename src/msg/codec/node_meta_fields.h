#pragma once

#include "msg/codec/archive.h"
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
void fields(Ar& ar, Of<Ar, NodeHeartbeat> it) {
    auto& [member, table_epoch, members_epoch, copies, lost] = it;
    ar(member, table_epoch, members_epoch, copies, lost);
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
    auto& [incarnation, known_before, version_ceiling, table, members_epoch, members] = it;
    ar(incarnation, known_before, version_ceiling, table, members_epoch, members);
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

}  // namespace muster::msg::codec
