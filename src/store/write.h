#pragma once

#include <cstdint>

#include "base/id.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/service.h"

namespace muster::store {

// One life of one session, numbered by the data server that hears of it: the session in the high
// bits, its incarnation (milliseconds, or a count) in the low ones.
using OwnerId = Id<struct OwnerIdTag, std::uint64_t>;

inline constexpr unsigned kLifeBits = 44;

[[nodiscard]] constexpr OwnerId owner_of(std::uint64_t session, Incarnation life) {
    return OwnerId((session << kLifeBits) | (life.raw() & ((std::uint64_t{1} << kLifeBits) - 1)));
}

// Whether `later` is a later life of the session whose earlier life `earlier` is.
[[nodiscard]] constexpr bool succeeds(OwnerId later, OwnerId earlier) {
    return later.raw() >> kLifeBits == earlier.raw() >> kLifeBits && later > earlier;
}

// Owns what is held although its session let it go (the brake); no session has this number.
inline constexpr OwnerId kNobody{1};

// A session's word about one registration.
struct Write {
    RegistId id;
    ServicePtr service;
    PublicationPtr publication;  // null: it went
    RegistOrder order;
    RemovalCause cause = RemovalCause::left;
    OwnerId owner;
    std::uint64_t owner_seq = 0;
    // When it was said the owner had done everything up to this number.
    std::uint64_t said_at = 0;
};

}  // namespace muster::store
