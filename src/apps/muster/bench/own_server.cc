#include "apps/muster/bench/own_server.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/load/machine.h"
#include "runtime/loop/fd.h"

namespace muster::cli::bench {
namespace {

constexpr Duration kReadyPatience = std::chrono::seconds(30);
constexpr Duration kEndPatience = std::chrono::seconds(10);
constexpr useconds_t kAskAgainUs = 500;
constexpr std::uint16_t kPortMin = 10'000;
constexpr std::uint16_t kPortMax = 32'000;

// Without what would set the server otherwise.
std::vector<char*> environment_without_settings() {
    std::vector<char*> kept;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with("MUSTER_")) {
            kept.push_back(*entry);
        }
    }
    kept.push_back(nullptr);
    return kept;
}

}  // namespace

bool is_port_free(std::uint16_t port) {
    const runtime::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;  // as servers do: what closed a while ago hinders nobody
    ::setsockopt(socket.raw(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return ::bind(socket.raw(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0;
}

Result<std::uint16_t> find_free_port() {
    constexpr int kTries = 1000;
    std::random_device random;
    for (int i = 0; i < kTries; ++i) {
        const auto port = static_cast<std::uint16_t>(kPortMin + random() % (kPortMax - kPortMin));
        if (is_port_free(port)) {
            return port;
        }
    }
    return fail(Errc::unavailable,
                fmt::format("no free port was found between {} and {}", kPortMin, kPortMax));
}

Result<std::unique_ptr<OwnServer>> OwnServer::start(const OwnPorts& ports,
                                                    const std::function<bool(std::uint16_t)>& ready,
                                                    const std::function<bool()>& stop) {
    for (const std::uint16_t port : {ports.client, ports.http}) {
        if (!is_port_free(port)) {
            return fail(Errc::invalid_argument,
                        fmt::format("127.0.0.1:{} is taken by another process, or not allowed: "
                                    "name another port, or none to have free ones found",
                                    port));
        }
    }
    std::unique_ptr<OwnServer> server(new OwnServer());
    const Duration begin = load::now();
    MUSTER_TRY(server->launch(ports));
    while (!ready(ports.http)) {
        if (server->has_ended()) {
            return fail(Errc::unavailable, "the server ended by itself: " + server->said());
        }
        if (stop()) {
            return fail(Errc::closed, "stopped");
        }
        if (load::now() - begin > kReadyPatience) {
            return fail(Errc::timeout, "the server did not get ready in 30 s: " + server->said());
        }
        ::usleep(kAskAgainUs);
    }
    server->time_to_ready_ = load::now() - begin;
    return server;
}

Result<void> OwnServer::launch(const OwnPorts& ports) {
    std::string folder =
        (std::filesystem::temp_directory_path() / "muster-bench-start-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) {
        return fail(Errc::io_error, "no folder can be made in " +
                                        std::filesystem::temp_directory_path().string() + ": " +
                                        std::strerror(errno));
    }
    folder_ = folder;
    std::vector<std::string> words{
        "muster",     "server",
        "--data-dir", folder_ + "/data",
        "--set",      fmt::format("bolt.listen=127.0.0.1:{}", ports.client),
        "--set",      fmt::format("http.listen=127.0.0.1:{}", ports.http)};
    std::vector<char*> arguments;
    std::ranges::transform(words, std::back_inserter(arguments),
                           [](std::string& word) { return word.data(); });
    arguments.push_back(nullptr);
    std::vector<char*> environment = environment_without_settings();
    const std::string log = folder_ + "/log";
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        return fail(Errc::io_error, std::string("no process: ") + std::strerror(errno));
    }
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int sink = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
        if (sink < 0 || ::getppid() != parent || ::setpgid(0, 0) != 0) {
            ::_exit(126);
        }
        ::dup2(sink, STDOUT_FILENO);
        ::dup2(sink, STDERR_FILENO);
        ::execve("/proc/self/exe", arguments.data(), environment.data());
        ::_exit(127);
    }
    return {};
}

bool OwnServer::has_ended() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
    }
    return pid_ < 0;
}

std::string OwnServer::said() const {
    std::ifstream log(folder_ + "/log");
    std::string line;
    std::string last = "it said nothing";
    while (std::getline(log, line)) {
        last = line.empty() ? last : line;
    }
    return last;
}

std::uint64_t OwnServer::rss_bytes() const {
    std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

OwnServer::~OwnServer() {
    if (!has_ended()) {
        ::kill(pid_, SIGTERM);
        const Duration deadline = load::now() + kEndPatience;
        while (!has_ended() && load::now() < deadline) {
            ::usleep(kAskAgainUs);
        }
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    if (!folder_.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
}

}  // namespace muster::cli::bench
