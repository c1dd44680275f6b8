#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/service.h"
#include "model/subscription.h"
#include "msg/cluster.h"

namespace muster::session {

// A subscriber as operators see it.
struct SubscriberInfo {
    RegistId id;
    std::string client_address;
    std::string door;
    std::string app;
    Scope scope = Scope::zone;
    std::string zone;
    Version acknowledged;  // zero: nothing yet
    bool behind = false;   // a push is on its way or waiting
};

// A publication that is damped, as operators see it.
struct FlappingInstance {
    RegistId id;
    ServicePtr service;
    std::string instance;  // "ip:port", or the registration id where no box has an address
    std::string client_address;
    std::uint64_t flips = 0;  // how often it came back, of late
    Duration held{};          // since when
    Duration left{};          // until it is shown, if it stays
};

// Where clients may connect, and how busy it is there.
struct ServerLoad {
    std::string address;     // "ip:port"
    std::uint64_t load = 0;  // clients, in proportion to what the server shall serve
};

struct SessionStatus {
    bool ready = false;    // has a slot table: registrations and subscriptions are carried out
    bool settled = false;  // every slot's lists are complete
    std::size_t connections = 0;
    std::size_t publications = 0;
    std::size_t suspects = 0;  // of the publications: kept by the brake
    std::size_t departed = 0;  // and of clients that were sent to other sessions
    std::size_t damped = 0;    // and of instances that come and go too often: not shown
    bool braking = false;      // more clients went at once than is believed
    std::size_t subscriptions = 0;
    std::size_t watches = 0;
    std::size_t services_cached = 0;
    std::size_t unacknowledged_writes = 0;
    std::uint64_t copies_differed = 0;  // times that a list folded from changes was mended, ever
    Epoch table_epoch;
};

// Takes the answers of queries that other roles must be asked for. `token` is the caller's.
class QueryPort {
public:
    virtual ~QueryPort() = default;
    virtual void on_services(std::uint64_t token, const msg::ListServicesReply& reply) = 0;
    virtual void on_config_put(std::uint64_t token, const Result<Version>& result) = 0;
};

// What operators' doors ask the session besides what clients do: implemented by SessionServer,
// faked in tests of doors. Loop thread only.
class QueryFace {
public:
    virtual ~QueryFace() = default;

    [[nodiscard]] virtual SessionStatus status() const = 0;

    // Whether the client at `address` ("ip:port") may ask something now, about a service of
    // `tenant` (empty: of none); counts it when so. Asked once for each query, before it is put.
    // Errors: over_limit.
    [[nodiscard]] virtual Result<void> admit_query(const std::string& address,
                                                   const std::string& tenant) = 0;

    // ClientFace::server_list(), with the loads that are known; what is not counts as ours.
    [[nodiscard]] virtual std::vector<ServerLoad> server_loads() const = 0;

    // Those of this session, in a stable order.
    [[nodiscard]] virtual std::vector<SubscriberInfo> subscribers_of(
        const Service& service) const = 0;

    // At most `limit` of the damped publications of this session, in the order of their ids.
    [[nodiscard]] virtual std::vector<FlappingInstance> flapping(std::size_t limit) const = 0;

    // Answered once through `port` (perhaps from within), or never when the asked nodes are gone:
    // the caller keeps a deadline. `port` must live as long as the session.
    virtual void query_services(std::uint64_t token, const msg::ListServices& query,
                                QueryPort& port) = 0;

    // Sets a configuration value, or removes it when `value` is none. Answered as above.
    virtual void put_config(std::uint64_t token, const Service& key,
                            std::optional<std::string> value, QueryPort& port) = 0;
};

}  // namespace muster::session
