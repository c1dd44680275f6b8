#include "server_pair.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "sockets.h"

namespace muster::bench {
namespace {

constexpr double kSlots = 256;
constexpr Duration kPatience = std::chrono::seconds(60);
// How often the followers' progress is looked at: an answer costs them some time, too.
constexpr unsigned kLookEveryUs = 5'000;

std::vector<std::string> settings(std::string_view node, std::string_view roles,
                                  std::uint16_t peer_port, std::uint16_t first_peer_port) {
    return {fmt::format("node_id={}", node), fmt::format("roles={}", roles),
            fmt::format("cluster.join=first=127.0.0.1:{}", first_peer_port),
            "cluster.secret=of the bench, on loopback",
            fmt::format("cluster.listen=127.0.0.1:{}", peer_port),
            // Clients of the bench send no heartbeats.
            "bolt.idle_timeout=1h"};
}

template <typename Holds>
void await(const Holds& holds, std::string_view what) {
    const Duration begin = now();
    while (!holds()) {
        if (now() - begin > kPatience) {
            die(fmt::format("waited in vain until {}", what));
        }
        ::usleep(kLookEveryUs);
    }
}

}  // namespace

ServerPair::ServerPair()
    : peer_port_(free_port()),
      first_(settings("first", "meta,data,session", peer_port_, peer_port_)),
      second_(settings("second", "data", free_port(), peer_port_)) {
    await(
        [&] {
            return metric("muster_data_slots_settled") == kSlots &&
                   metric("muster_data_slots_synced") == kSlots;
        },
        "each slot has a leader and a follower in step");
}

double ServerPair::metric(std::string_view name) const {
    return bench::metric(first_.metrics(), name) + bench::metric(second_.metrics(), name);
}

void ServerPair::await_followed(std::size_t publications) const {
    await(
        [&] {
            return metric("muster_data_publications_followed") >= static_cast<double>(publications);
        },
        fmt::format("followers have {} publications", publications));
}

}  // namespace muster::bench
