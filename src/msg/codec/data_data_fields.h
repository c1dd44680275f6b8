#pragma once

#include "msg/codec/archive.h"
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
    auto& [id, publication, order, cause, owner, owner_life, owner_seq] = it;
    ar(id, nullable(publication), order, cause, owner, owner_life, owner_seq);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotEntry> it) {
    auto& [service, from, to, writes] = it;
    ar(service, from, to, writes);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowSlot> it) {
    auto& [data, slot, slot_epoch, held] = it;
    ar(data, slot, slot_epoch, held);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotEntries> it) {
    auto& [slot, slot_epoch, after, settled, entries] = it;
    ar(slot, slot_epoch, after, settled, entries);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotImage::Datum> it) {
    auto& [service, version, publications] = it;
    ar(service, version, publications);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotImage::Tombstone> it) {
    auto& [write, service, age_ms] = it;
    ar(write, service, age_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, SlotImage> it) {
    auto& [slot, slot_epoch, position, settled, image, part, last, data, tombstones] = it;
    ar(slot, slot_epoch, position, settled, image, part, last, data, tombstones);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowAck::Item> it) {
    auto& [slot, held] = it;
    ar(slot, held);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, FollowAck> it) {
    auto& [data, items] = it;
    ar(data, items);
}

}  // namespace muster::msg::codec
