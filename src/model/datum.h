#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/service.h"
#include "model/trace.h"

namespace muster {

// A registration that went: by the word of its client, then no state of it up to `order` is there
// any more; or because its connection or lease ended, then none up to `order` that came over that
// connection, nor one of an older version. What was told of it last may be an older state, that
// came over another connection.
struct Departure {
    RegistId id;
    RegistOrder order;
    std::optional<std::uint64_t> connection = {};  // connection_of() it; none: by word

    [[nodiscard]] bool operator==(const Departure&) const = default;
};

// The step of one datum from one version to the next one told.
struct DatumChange {
    ServicePtr service;
    Version from;  // applies only to a copy of exactly this version
    Version to;
    std::vector<PublicationPtr> upserts;
    std::vector<Departure> removals;
    Trace trace = {};  // the oldest of what it is made of
    // Over shown_digest_of() all publications of `to`; none: its sender makes no statement of all
    // there is.
    std::optional<SetDigest> digest = {};
};

// A datum as a whole. `settled` says that the holder knows all of it: an empty settled snapshot is
// the statement that nobody publishes the service; in an unsettled one absence means nothing, and
// `departed` tells what is known to be gone.
struct DatumSnapshot {
    ServicePtr service;
    Version version;
    bool settled = false;
    std::vector<PublicationPtr> publications;  // sorted by id
    std::vector<Departure> departed = {};      // sorted by id
};

// What subscribers of one (service, scope, zone) are shown at one version. Immutable and shared by
// all their connections.
struct ServiceView {
    ServicePtr service;
    Version version;
    bool complete = false;                     // false: absence means nothing
    std::vector<PublicationPtr> publications;  // sorted by id
    SetDigest digest;                          // of (id, order) of all publications
};

using ServiceViewPtr = std::shared_ptr<const ServiceView>;

// The difference of two views, folded over any number of changes.
struct ViewDelta {
    Version from;
    Version to;
    std::vector<PublicationPtr> upserts;  // sorted by id
    std::vector<RegistId> removals;       // sorted
};

using ViewDeltaPtr = std::shared_ptr<const ViewDelta>;

}  // namespace muster
