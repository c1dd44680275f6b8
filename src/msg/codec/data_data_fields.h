#pragma once

#include "msg/codec/archive.h"
#include "msg/codec/model_fields.h"
#include "msg/data_data.h"

// The messages of msg/data_data.h on the wire.
namespace muster::msg::codec {

template <>
inline constexpr bool kFinal<LogPosition> = true;

template <class Ar>
void fields(Ar& ar, Of<Ar, LogPosition> it) {
    auto& [epoch, number] = it;
    ar(epoch, number);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, OwnedWrite> it) {
    auto& [id, publication, order, cause, owner, owner_life, owner_seq, mark] = it;
    ar(id, nullable(publication), order, cause, owner, owner_life, owner_seq);
    ar.added(mark);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotEntry> it) {
    auto& [service, from, to, writes, trace] = it;
    ar(service, from, to, writes);
    ar.added(trace);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowSlot::Withdrawal> it) {
    auto& [service, write] = it;
    ar(service, write);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowSlot::Given> it) {
    auto& [service, version] = it;
    ar(service, version);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowSlot> it) {
    auto& [data, slot, slot_epoch, held, withdrawn, given] = it;
    ar(data, slot, slot_epoch, held, withdrawn, given);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotEntries> it) {
    auto& [data, slot, slot_epoch, after, entries_epoch, settled, in_doubt, entries] = it;
    ar(data, slot, slot_epoch, after, entries_epoch, settled, in_doubt, entries);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ImageCursor> it) {
    auto& [publications_done, service, id, burial] = it;
    ar(publications_done, service, id, burial);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, ImageRequest> it) {
    auto& [data, slot, slot_epoch, image, part, from, any_copy] = it;
    ar(data, slot, slot_epoch, image, part, from, any_copy);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotImage::Datum> it) {
    auto& [service, version, publications] = it;
    ar(service, version, publications);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotImage::Tombstone> it) {
    auto& [service, write, connection, age_ms] = it;
    ar(service, write, connection, age_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotImage> it) {
    auto& [data, slot, slot_epoch, position, settled, image, part, next, last, data_items,
           tombstones, gaps] = it;
    ar(data, slot, slot_epoch, position, settled, image, part, next, last, data_items, tombstones,
       gaps);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowAck::Item> it) {
    auto& [slot, held, settled] = it;
    ar(slot, held, settled);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowAck> it) {
    auto& [data, items] = it;
    ar(data, items);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, LeaderPulse::Copy> it) {
    auto& [slot, held, digest, settled] = it;
    ar(slot, held, digest, settled);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, LeaderPulse> it) {
    auto& [data, table_epoch, streamed, copies] = it;
    ar(data, table_epoch, streamed, copies);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, CopiesRequest> it) {
    auto& [data, slots] = it;
    ar(data, slots);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, CopiesReply::Copy> it) {
    auto& [slot, slot_epoch, held, acting] = it;
    ar(slot, slot_epoch, held, acting);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, CopiesReply> it) {
    auto& [data, copies] = it;
    ar(data, copies);
}

}  // namespace muster::msg::codec
