#pragma once

#include "msg/codec/archive.h"
#include "msg/session_data.h"

// The messages of msg/session_data.h on the wire.
namespace muster::msg::codec {

template <class Ar>
void fields(Ar& ar, Of<Ar, PublishBatch::Op> it) {
    auto& [id, service, publication, order, cause, owner_seq] = it;
    ar(id, service, nullable(publication), order, cause, owner_seq);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, PublishBatch> it) {
    auto& [session, slot, slot_epoch, batch, ops] = it;
    ar(session, slot, slot_epoch, batch, ops);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestDeclare::Item> it) {
    auto& [service, held] = it;
    ar(service, held);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestDeclare> it) {
    auto& [session, stream, part, items] = it;
    ar(session, stream, part, items);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestDrop> it) {
    auto& [session, stream, part, services] = it;
    ar(session, stream, part, services);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SessionHeartbeat::SlotDigest> it) {
    auto& [slot, digest, count] = it;
    ar(slot, digest, count);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SessionHeartbeat> it) {
    auto& [session, stamp, digests, complete] = it;
    ar(session, stamp, digests, complete);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotDetail> it) {
    auto& [session, slot, slot_epoch, stamp, publications] = it;
    ar(session, slot, slot_epoch, stamp, publications);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ListServices> it) {
    auto& [query, contains, after, limit] = it;
    ar(query, contains, after, limit);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, PublishBatchReply> it) {
    auto& [session, slot, batch, result, slot_epoch] = it;
    ar(session, slot, batch, result, slot_epoch);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ChangeBatch> it) {
    auto& [session, stream, seq, changes] = it;
    ar(session, stream, seq, changes);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestAck> it) {
    auto& [session, stream, part] = it;
    ar(session, stream, part);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, DataHeartbeat> it) {
    auto& [session, data, stream, last_seq] = it;
    ar(session, data, stream, last_seq);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotDetailRequest> it) {
    auto& [session, slot, slot_epoch] = it;
    ar(session, slot, slot_epoch);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ListServicesReply::Entry> it) {
    auto& [data_info_id, publications, version] = it;
    ar(data_info_id, publications, version);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ListServicesReply> it) {
    auto& [query, services, more, settled] = it;
    ar(query, services, more, settled);
}

}  // namespace muster::msg::codec
