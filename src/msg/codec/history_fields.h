#pragma once

#include "msg/codec/archive.h"
#include "msg/codec/data_data_fields.h"
#include "msg/codec/model_fields.h"
#include "msg/history.h"

// The messages of msg/history.h on the wire.
namespace muster::msg::codec {

template <class Ar>
void fields(Ar& ar, Of<Ar, HistoryRequest> it) {
    auto& [incarnation, request, service, address, since_ms, until_ms, limit] = it;
    ar(incarnation, request, service, address, since_ms, until_ms, limit);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, HistoryReply> it) {
    auto& [incarnation, request, result, records, more, reaches_ms, lost] = it;
    ar(incarnation, request, result, records, more, reaches_ms, lost);
}

}  // namespace muster::msg::codec
