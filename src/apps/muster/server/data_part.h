#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/muster/server/foundation.h"
#include "roles/data/data.h"
#include "runtime/disk/file_disk.h"
#include "runtime/history/history_thread.h"

namespace muster::cli {

// The data role of a process, with its folder data/. Loop thread only.
class DataPart {
public:
    // `peer_address`: where other nodes reach this process; empty: they need not.
    DataPart(Foundation& base, const std::string& peer_address);

    // Told the members whenever other ones are known, also those an earlier life kept.
    std::function<void(const std::vector<Member>&)> on_members;

    // Reads what is kept of the cluster, and begins to talk to the metas.
    void start() {
        role_->start();
    }
    [[nodiscard]] data::DataServer& role() {
        return *role_;
    }
    // Why it cannot be relied on since its start; none: it can.
    [[nodiscard]] std::optional<std::string> not_ready() const;
    void write_metrics(MetricsWriter& writer) const;

private:
    runtime::FileDisk disk_;
    runtime::LoopTimers timers_;
    std::unique_ptr<msg::Outbox> outbox_;
    std::unique_ptr<runtime::HistoryThread> history_;  // null: it is switched off
    std::unique_ptr<data::DataServer> role_;
};

}  // namespace muster::cli
