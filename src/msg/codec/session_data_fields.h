#pragma once

#include "msg/codec/archive.h"
#include "msg/session_data.h"

// The messages of msg/session_data.h on the wire.
namespace muster::msg::codec {

template <class Ar>
void fields(Ar& ar, Of<Ar, PublishBatch::Op> it) {
    auto& [id, service, publication, order, cause, owner_seq, confirmed, word] = it;
    ar(id, service, nullable(publication), order, cause, owner_seq, confirmed);
    ar.added(nullable(word));
}

template <class Ar>
void fields(Ar& ar, Of<Ar, PublishBatch> it) {
    auto& [session, slot, slot_epoch, batch, acting, ops, got_us] = it;
    ar(session, slot, slot_epoch, batch, acting, ops);
    ar.added(got_us);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestDeclare::Item> it) {
    auto& [service, held, complete, heard, doubted, slot_epoch] = it;
    ar(service, held, complete, heard);
    ar.added(doubted, slot_epoch);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestDeclare> it) {
    auto& [session, stream, part, acting, items] = it;
    ar(session, stream, part, acting, items);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestDrop> it) {
    auto& [session, stream, part, services] = it;
    ar(session, stream, part, services);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SessionHeartbeat::SlotDigest> it) {
    auto& [slot, slot_epoch, digest, count, complete, acting] = it;
    ar(slot, slot_epoch, digest, count, complete, acting);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SessionHeartbeat> it) {
    auto& [session, stamp, round, digests] = it;
    ar(session, stamp, round, digests);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotDetail> it) {
    auto& [session, slot, slot_epoch, stamp, round, complete, publications, after, more] = it;
    ar(session, slot, slot_epoch, stamp, round, complete, publications, after, more);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ListServices> it) {
    auto& [query, contains, after, limit] = it;
    ar(query, contains, after, limit);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ChangesTaken> it) {
    auto& [session, stream, seq] = it;
    ar(session, stream, seq);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, PublishBatchReply> it) {
    auto& [session, slot, batch, result, slot_epoch, acting] = it;
    ar(session, slot, batch, result, slot_epoch, acting);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NotLeading::Item> it) {
    auto& [slot, slot_epoch, acting] = it;
    ar(slot, slot_epoch, acting);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, NotLeading> it) {
    auto& [session, items] = it;
    ar(session, items);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ChangeBatch> it) {
    auto& [session, stream, seq, goes_on, ack_due, changes] = it;
    ar(session, stream, seq, goes_on, ack_due, changes);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, InterestAck> it) {
    auto& [session, stream, part] = it;
    ar(session, stream, part);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, DataHeartbeat> it) {
    auto& [session, data, stream, last_seq, round, waits] = it;
    ar(session, data, stream, last_seq, round, waits);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotDetailRequest::Item> it) {
    auto& [slot, slot_epoch, after] = it;
    ar(slot, slot_epoch, after);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotDetailRequest> it) {
    auto& [session, round, slots] = it;
    ar(session, round, slots);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Superseded::Item> it) {
    auto& [id, owner_seq] = it;
    ar(id, owner_seq);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, Superseded> it) {
    auto& [session, items] = it;
    ar(session, items);
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
