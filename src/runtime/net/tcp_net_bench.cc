// Fan-out of one push to many connections: TcpNet against a bare loop of write() on the same kind
// of sockets. Items per second are pushes delivered to the kernel; peers are emptied untimed.
#include <algorithm>
#include <array>

#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/check.h"
#include "runtime/net/tcp_net.h"

namespace muster::runtime {
namespace {

constexpr std::size_t kHead = 24;
constexpr std::size_t kBody = 1000;
constexpr std::size_t kTail = 60;

// Both ends live in this process: two descriptors a connection.
std::size_t connection_count(const benchmark::State& state) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const auto possible = static_cast<std::size_t>(limit.rlim_cur - 100) / 2;
    return std::min(static_cast<std::size_t>(state.range(0)), possible);
}

class Server final : public env::ConnectionHandler {
public:
    std::vector<env::ConnId> conns;

    void on_accepted(env::ConnId conn, const env::SocketAddress& /*peer*/) override {
        conns.push_back(conn);
    }
    void on_connected(env::ConnId /*conn*/) override {}
    void on_bytes(env::ConnId /*conn*/, std::string_view /*bytes*/) override {}
    void on_drained(env::ConnId /*conn*/) override {}
    void on_closed(env::ConnId /*conn*/, const Error& /*why*/) override {}
};

Fd connect_to(std::uint16_t port) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(fd.raw(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return fd;
}

void empty_all(const std::vector<Fd>& peers) {
    std::array<char, 64 * 1024> buffer{};
    for (const Fd& peer : peers) {
        while (::recv(peer.raw(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
        }
    }
}

void fan_out_bare(benchmark::State& state) {
    const std::size_t count = connection_count(state);
    const auto listener = open_listener({.ip = "127.0.0.1", .port = 0}, 4096, {});
    CHECK(listener.has_value());
    std::vector<Fd> peers;
    std::vector<Fd> conns;
    for (std::size_t i = 0; i < count; ++i) {
        peers.push_back(connect_to(local_address_of(listener->raw()).port));
        auto accepted = accept_one(listener->raw());
        CHECK(accepted.has_value());
        conns.push_back(std::move(accepted->fd));
    }
    const std::string frame(kHead + kBody + kTail, 'f');
    for (auto _ : state) {
        for (const Fd& conn : conns) {
            CHECK(::write(conn.raw(), frame.data(), frame.size()) ==
                  static_cast<ssize_t>(frame.size()));
        }
        state.PauseTiming();
        empty_all(peers);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void fan_out_tcp_net(benchmark::State& state) {
    const std::size_t count = connection_count(state);
    auto loop = Loop::create();
    CHECK(loop.has_value());
    TcpNet net(**loop, {});
    Server server;
    const auto listener = net.listen({.ip = "127.0.0.1", .port = 0}, server);
    CHECK(listener.has_value());
    std::vector<Fd> peers;
    while (server.conns.size() < count) {
        for (std::size_t i = 0; i < 100 && peers.size() < count; ++i) {
            peers.push_back(connect_to(net.local_address(*listener).port));
        }
        (*loop)->post([&] { (*loop)->post([&] { (*loop)->stop(); }); });
        (*loop)->run();
    }
    const auto body = std::make_shared<const std::string>(kBody, 'b');
    const std::string head(kHead, 'h');
    const std::string tail(kTail, 't');
    for (auto _ : state) {
        for (const env::ConnId conn : server.conns) {
            net.send(conn, head, body, tail);
        }
        state.PauseTiming();
        CHECK(net.stats().blocked_writes.value() == 0);
        empty_all(peers);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

BENCHMARK(fan_out_bare)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(fan_out_tcp_net)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::runtime
