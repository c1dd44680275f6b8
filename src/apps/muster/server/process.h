#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/muster/server/foundation.h"
#include "apps/muster/server/last_known.h"
#include "base/log.h"
#include "base/result.h"
#include "roles/node/node_view.h"
#include "runtime/config/server_config.h"

namespace muster::cli {

class DataPart;
class Desks;
class HttpPart;
class JoinWatch;
class LinksPart;
class MetaPart;
class SessionPart;

// One node: the roles it is configured for, on one loop, over one foundation. Its roles exchange
// messages by the bus, and with those of other nodes by links; so one process with all roles and
// many with one each run the same code.
//
//   HttpPart ------- Desks
//       |             |
//   SessionPart   DataPart   MetaPart      as configured, each behind its FrontDesk
//       |             |          |
//   Foundation: loop, folder, name, sockets, bus --- LinksPart --- other nodes
//
// Made and run by one thread.
class Process {
public:
    // Takes the data folder, recovers, listens. Errors: conflict (the folder is in use, or another
    // node's), corrupt, address_in_use (names the address and the key to change), io_error,
    // bad_config.
    [[nodiscard]] static Result<std::unique_ptr<Process>> create(
        const runtime::ServerConfig& config, Log log);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // Serves until SIGINT or SIGTERM; then hands its clients and the leadership of the metas over,
    // until that is done (each within its bound) or a second signal comes. Errors: conflict (the
    // metas will not have this node).
    [[nodiscard]] Result<void> run();

private:
    explicit Process(std::unique_ptr<Foundation> base);
    Result<void> open();
    Result<void> open_roles();
    Result<void> open_http();
    void attach(Role role, msg::Receiver& receiver);
    // The role whose consensus must hear of peers that ended; null: none.
    [[nodiscard]] const msg::Receiver* raft_role() const;
    // The cluster, as that of its roles knows it that knows most.
    [[nodiscard]] LastKnown known() const;
    // Dials those of `members` that this node has to do with.
    void dial(const std::vector<Member>& members, std::uint64_t epoch);
    // What changes without a message: what is known from disk, and being turned away.
    void look_around();
    void look_at(const node::NodeView& view);
    void on_signal(int signal);
    void on_left(Role role);
    // Why this node is no help to anybody yet; none: it is.
    [[nodiscard]] std::optional<std::string> waits_for() const;
    void say_where() const;
    void write_metrics(MetricsWriter& writer) const;

    // What hears the network goes before what it tells.
    class FrontDesk;

    std::unique_ptr<Foundation> base_;
    std::unique_ptr<LinksPart> links_;  // null: a registry of its own
    std::unique_ptr<MetaPart> meta_;
    std::unique_ptr<DataPart> data_;
    std::unique_ptr<SessionPart> session_;
    std::unique_ptr<Desks> desks_;
    std::unique_ptr<runtime::LoopTimers> watch_timers_;
    std::unique_ptr<JoinWatch> join_watch_;
    std::vector<std::unique_ptr<FrontDesk>> front_desks_;
    std::unique_ptr<HttpPart> http_;
    std::uint64_t dialled_epoch_ = 0;
    std::optional<MonoTime> agreed_;  // when the metas, this one among them, last had a leader
    std::set<Role> parts_to_leave_;   // after a signal
    Result<void> outcome_;
};

}  // namespace muster::cli
