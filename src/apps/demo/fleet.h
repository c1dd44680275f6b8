#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/demo/child.h"

namespace muster::demo {

struct FleetPorts {
    std::uint16_t bolt = 9600;  // 0: a free one
    std::uint16_t http = 9603;
};

// One provider process of the demonstration.
struct Provider {
    std::string service;
    std::string name;
    std::string zone;
    std::string calls;
    int starts = 0;  // its version
    Child child;
};

// The registry and the providers as processes; all end with this object. Main thread only.
class Fleet {
public:
    // `folder` takes data and output of all.
    Fleet(std::string programs, std::string folder);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // Starts the registry and waits until it is ready. Gives what went wrong.
    [[nodiscard]] std::optional<std::string> start_registry(FleetPorts ports);

    // Gives when it was begun (muster_now_ns).
    std::uint64_t start(Provider& provider);
    // With SIGKILL. Gives when the signal was sent.
    static std::uint64_t kill(Provider& provider);

    [[nodiscard]] std::vector<Provider>& providers() {
        return providers_;
    }
    [[nodiscard]] const std::string& registry() const {
        return registry_;
    }
    [[nodiscard]] const std::string& console() const {
        return http_;
    }
    [[nodiscard]] bool registry_runs() {
        return server_.running();
    }

private:
    std::string programs_;
    std::string folder_;
    std::string registry_;
    std::string http_;
    Child server_;
    std::vector<Provider> providers_;
};

}  // namespace muster::demo
