#pragma once

#include "msg/codec/archive.h"
#include "msg/codec/data_data_fields.h"
#include "msg/verify.h"

// The messages of msg/verify.h on the wire.
namespace muster::msg::codec {

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyRequest::Detail> it) {
    auto& [slot, service, owner, life] = it;
    ar(slot, service, owner, life);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyRequest> it) {
    auto& [incarnation, request, asker, asker_role, session, slots, detail] = it;
    ar(incarnation, request, asker, asker_role, session, slots, detail);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyLine> it) {
    auto& [name, digest, count] = it;
    ar(name, digest, count);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyDetail> it) {
    auto& [lines, more] = it;
    ar(lines, more);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyReply::Owner> it) {
    auto& [session, life, digest, count] = it;
    ar(session, life, digest, count);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyReply::Copy> it) {
    auto& [slot, slot_epoch, held, leads, acting, whole, settled, digest, publications, orphans,
           held_back, owners] = it;
    ar(slot, slot_epoch, held, leads, acting, whole, settled, digest, publications, orphans,
       held_back, owners);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifyReply> it) {
    auto& [incarnation, request, copies, detail] = it;
    ar(incarnation, request, copies, detail);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifySessionReply::Slot> it) {
    auto& [slot, slot_epoch, server, acting, pending, digest, count] = it;
    ar(slot, slot_epoch, server, acting, pending, digest, count);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, VerifySessionReply> it) {
    auto& [incarnation, request, asker, asker_role, session, life, slots, detail] = it;
    ar(incarnation, request, asker, asker_role, session, life, slots, detail);
}

}  // namespace muster::msg::codec
