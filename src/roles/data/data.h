#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/timers.h"
#include "model/cluster.h"
#include "msg/outbox.h"

namespace muster::data {

struct DataOptions {
    NodeId node;
    std::string address;  // "ip:port" for the other roles
    std::vector<NodeId> metas;
    Incarnation incarnation;

    Duration heartbeat_interval = std::chrono::milliseconds(250);
    // What a session leaves behind when it starts anew is kept for so long: its clients are on
    // their way back (wire/bolt-hessian 4.3: a Java client needs up to 10 s).
    Duration orphan_grace = std::chrono::seconds(14);
    // A gap of our own clock longer than this means that we, not the others, were silent.
    Duration pause_limit = std::chrono::seconds(2);
    // Digests that differ are looked into at most this often for one slot and session.
    Duration repair_interval = std::chrono::seconds(1);

    std::size_t changes_kept_per_slot = 4096;
    std::size_t interests_per_session_max = 2'000'000;
};

// What a role is given to live on.
struct DataEnv {
    env::Clock& clock;
    env::Timers& timers;
    msg::Outbox& outbox;
    Log log;
};

struct DataStatus {
    Epoch table_epoch;
    std::size_t slots_led = 0;
    std::size_t slots_settled = 0;
    std::size_t services = 0;
    std::size_t publications = 0;
    std::size_t tombstones = 0;
    std::size_t sessions = 0;
    Version latest_version;
};

// The DataServer: leader of slots. Aggregates what sessions own, gives every datum its versions,
// and tells interested sessions each change in order. Everything it holds can be supplied again by
// sessions (design 2.1).
//
//   session --PublishBatch--> apply, version, change log --ChangeBatch--> interested sessions
//
// A slot is *settled* once every session the metas know has supplied all its clients have, in this
// leader epoch; until then its lists are told as unsettled: absence means nothing.
//
//                 table names us leader            all sessions complete
//      (not led) ----------------------> recovering --------------------> settled
//          ^                               |   ^ newer epoch                |
//          +--------- table says no -------+---+----------------------------+
//
// Owned by the process. Loop thread only. Bounds: see DataOptions and DatumStore.
class DataServer final : public msg::Receiver, public env::TimerTarget {
public:
    DataServer(DataOptions options, DataEnv env);
    ~DataServer() override;

    // Begins to talk to the metas.
    void start();

    [[nodiscard]] DataStatus status() const;
    void write_metrics(MetricsWriter& writer) const;

    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override;
    void on_timer(env::TimerKey key) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::data
