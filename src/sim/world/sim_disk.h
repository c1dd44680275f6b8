#pragma once

#include "env/memory_disk.h"
#include "sim/world/process.h"

namespace muster::sim {

// One life's way to a node's folder: operations take effect after a while, in order. The folder
// outlives the process.
class SimDisk final : public env::Disk {
public:
    SimDisk(env::MemoryDisk& folder, Process& process, Prng prng, Duration sync_max)
        : folder_(folder), process_(process), prng_(prng), sync_max_(sync_max) {}

    [[nodiscard]] Result<std::string> read(std::string_view path) override {
        return folder_.read(path);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(std::string_view path) override {
        return folder_.list(path);
    }
    void read_part(env::DiskOpId op, std::string_view path, std::uint64_t offset,
                   std::size_t bytes_max) override {
        folder_.read_part(op, path, offset, bytes_max);
        pump_later();
    }
    void append(env::DiskOpId op, std::string_view path, std::string bytes) override {
        folder_.append(op, path, std::move(bytes));
        pump_later();
    }
    void replace(env::DiskOpId op, std::string_view path, std::string bytes) override {
        folder_.replace(op, path, std::move(bytes));
        pump_later();
    }
    void remove(env::DiskOpId op, std::string_view path) override {
        folder_.remove(op, path);
        pump_later();
    }

private:
    void pump_later() {
        process_.post(Duration(prng_.between(1'000, sync_max_.count())), kDiskChannel,
                      [this] { folder_.pump_one(); });
    }

    env::MemoryDisk& folder_;
    Process& process_;
    Prng prng_;
    Duration sync_max_;
};

}  // namespace muster::sim
