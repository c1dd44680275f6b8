#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cluster.h"
#include "sockets.h"

namespace muster::bench {

// Native clients that publish, then say nothing but heartbeats, as most clients do most of the
// time. A thread of its own keeps them alive until the object goes.
class IdleClients {
public:
    IdleClients();
    ~IdleClients();
    IdleClients(const IdleClients&) = delete;
    IdleClients& operator=(const IdleClients&) = delete;

    // So many more connections, dealt out to the sessions.
    void connect(const std::vector<Node*>& sessions, std::size_t connections);

    // So many more publications, `per_service` to a service, dealt out to all connections; returns
    // when all are answered. Requires: connect().
    void publish(std::size_t publications, std::size_t per_service);

    // The service of the n-th publication when each has `per_service`.
    [[nodiscard]] static std::string service(std::size_t number, std::size_t per_service);

private:
    void keep_alive(const std::stop_token& stop);
    void beat();

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::size_t published_ = 0;
    std::size_t batches_ = 0;
    Duration beaten_{};
    std::jthread keeper_;
};

}  // namespace muster::bench
