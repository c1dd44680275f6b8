#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/subscription.h"

// What a client and its session say to each other. A native client sends these as they are
// (api/proto); the other doors translate their protocol's requests into them.
namespace muster::msg {

// Echoed in the reply; chosen by the client, unique among its open requests on a connection.
using RequestId = Id<struct RequestIdTag, std::uint64_t>;

// ---- client -> session

// Registers or updates publications, in one batch. Idempotent: a state not newer than the known one
// (by order) changes nothing and is answered as success. `service` of a publication need not be
// interned by the caller.
struct RegisterPublishers {
    RequestId request;
    std::vector<PublicationPtr> publications;
    // Zero: the publications live with the connection. Otherwise they outlive it and go as silent
    // when they were not registered again for so long (the HTTP door's TTL).
    Duration lease{};
};

// Polite leaving: "left". `order` newer than the registration's. Idempotent.
struct UnregisterPublishers {
    struct Item {
        RegistId id;
        ServicePtr service;
        RegistOrder order;
    };
    RequestId request;
    std::vector<Item> items;
};

// `held` is the version the client already has of this service (zero: nothing, or it cannot tell):
// it is never sent anything lower, and a delta from it when that is shorter. Idempotent. `once`: a
// question that is taken back when it is answered; its door asked QueryFace::admit_query() before.
struct Subscribe {
    struct Item {
        Subscription subscription;
        Version held;
        SetDigest held_digest;
    };
    RequestId request;
    std::vector<Item> items;
    bool once = false;
};

struct Unsubscribe {
    struct Item {
        RegistId id;
        ServicePtr service;
        RegistOrder order;
    };
    RequestId request;
    std::vector<Item> items;
};

// Configuration values (SOFARegistry: configurator). `once` as of Subscribe.
struct WatchConfig {
    RequestId request;
    Watch watch;
    bool once = false;
};

struct UnwatchConfig {
    RequestId request;
    Watch watch;
};

// The client holds `version` of the service now. Not ok: it could not use the push and wants a full
// one.
struct PushAck {
    ServicePtr service;
    Scope scope = Scope::zone;
    std::string zone;
    Version version;
    bool ok = true;
};

using ClientMessage = std::variant<RegisterPublishers, UnregisterPublishers, Subscribe, Unsubscribe,
                                   WatchConfig, UnwatchConfig, PushAck>;

// ---- session -> client

// Answer to one registering, unregistering, subscribing or watching request: one outcome per item,
// in the order of the request.
struct RequestReply {
    struct Outcome {
        RegistId id;
        std::int64_t version = 0;  // echoed client version
        Result<void> result;
    };
    RequestId request;
    std::vector<Outcome> outcomes;
};

// A list, or the change of a list, for one connection's subscribers of one (service, scope, zone).
// With `delta` set and form delta, the client's copy must be at delta->from. A client keeps its
// copy when `view->version` is not above what it has, and never removes anything because of an
// incomplete view.
struct Push {
    ServiceViewPtr view;
    ViewDeltaPtr delta;  // null: the whole view
    Scope scope = Scope::zone;
    std::string zone;
    std::vector<RegistId> subscribers;
};

// A configuration value; `value` null: none is set.
struct ConfigPush {
    ServicePtr key;
    Version version;
    std::shared_ptr<const std::string> value;
    std::vector<RegistId> watchers;
};

// Where a client may connect; when `move_to` is set it is asked to go there soon.
struct ServerHint {
    std::vector<std::string> servers;  // "ip:port"
    std::string move_to;
};

}  // namespace muster::msg
