#pragma once

#include <cstddef>
#include <cstdint>

#include "model/datum.h"
#include "msg/client.h"

namespace muster::client {

enum class PushOutcome : std::uint8_t {
    applied,     // `view` is the new list
    confirmed,   // the held list is what the server has
    older,       // of a version below the held one: nothing changes
    needs_full,  // a delta that does not fit: nothing changes, the whole list is wanted
    over_limit,  // longer than allowed: nothing changes
};

struct PushResult {
    PushOutcome outcome = PushOutcome::older;
    ServiceViewPtr view;          // the list now held; null: still none
    bool digest_differs = false;  // the server's digest is not that of what it sent
};

// The list after a push, from the one held (null: none). A version never falls; a delta applies
// only to the version it starts from and must lead to the digest it tells; an incomplete push adds
// and updates but removes nothing. A push of the held version is a confirmation, or a repair when
// it tells another content.
[[nodiscard]] PushResult apply_push(const ServiceViewPtr& held, const msg::Push& push,
                                    std::size_t publications_max);

[[nodiscard]] SetDigest digest_of_list(const std::vector<PublicationPtr>& publications);

}  // namespace muster::client
