#pragma once

#include "msg/brake.h"
#include "msg/codec/archive.h"

// The messages of msg/brake.h on the wire.
namespace muster::msg::codec {

template <>
struct LastOf<BrakeScope> {
    static constexpr BrakeScope value = BrakeScope::cluster;
};

template <>
struct LastOf<BrakeRequest::Action> {
    static constexpr BrakeRequest::Action value = BrakeRequest::Action::release;
};

template <class Ar>
void fields(Ar& ar, Of<Ar, BrakeLine> it) {
    auto& [scope, name, node, braking, held, why, age_ms, left_ms] = it;
    ar(scope, name, node, braking, held, why, age_ms, left_ms);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, BrakeRequest> it) {
    auto& [incarnation, request, action, scope, name, asked_by, asked_at] = it;
    ar(incarnation, request, action, scope, name);
    ar.added(asked_by, asked_at);
}

template <class Ar>
void fields(Ar& ar, Of<Ar, BrakeReply> it) {
    auto& [incarnation, request, lines, more, brakes, publications] = it;
    ar(incarnation, request, lines, more, brakes, publications);
}

}  // namespace muster::msg::codec
