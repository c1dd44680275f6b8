#include "server_process.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets.h"

namespace muster::bench {
namespace {

constexpr Duration kReadyPatience = std::chrono::seconds(10);

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
        die("no free port");
    }
    ::close(fd);
    return ntohs(at.sin_port);
}

bool is_ready(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
        constexpr std::string_view kAsk =
            "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        std::array<char, 4096> bytes;
        if (::send(fd, kAsk.data(), kAsk.size(), MSG_NOSIGNAL) > 0) {
            ssize_t got = 0;
            while ((got = ::recv(fd, bytes.data(), bytes.size(), 0)) > 0) {
                answer.append(bytes.data(), static_cast<std::size_t>(got));
            }
        }
    }
    ::close(fd);
    return answer.starts_with("HTTP/1.1 200");
}

}  // namespace

Duration now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::string ServerProcess::program() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "muster").string();
}

ServerProcess::ServerProcess() : bolt_port_(free_port()), http_port_(free_port()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "muster-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        die("cannot make a folder in " + std::filesystem::temp_directory_path().string());
    }
    folder_ = pattern;
    const std::string binary = program();
    const std::string bolt = "bolt.listen=127.0.0.1:" + std::to_string(bolt_port_);
    const std::string http = "http.listen=127.0.0.1:" + std::to_string(http_port_);
    const Duration begin = now();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int sink = ::open((folder_ + "/server.log").c_str(), O_CREAT | O_WRONLY, 0644);
        ::dup2(sink, 1);
        ::dup2(sink, 2);
        ::execl(binary.c_str(), "muster", "server", "--data-dir", (folder_ + "/data").c_str(),
                "--set", bolt.c_str(), "--set", http.c_str(), nullptr);
        ::_exit(127);
    }
    while (!is_ready(http_port_)) {
        if (now() - begin > kReadyPatience || ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            std::ifstream log(folder_ + "/server.log");
            const std::string said{std::istreambuf_iterator<char>(log), {}};
            die(binary + " server did not become ready: " + said);
        }
        ::usleep(500);
    }
    time_to_ready_ = now() - begin;
}

ServerProcess::~ServerProcess() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::uint64_t ServerProcess::rss_bytes() const {
    std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double ServerProcess::cpu_seconds() const {
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string text{std::istreambuf_iterator<char>(stat), {}};
    text = text.substr(text.rfind(')') + 2);
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    if (std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                    &system) != 2) {
        die("/proc/PID/stat reads otherwise than expected");
    }
    return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace muster::bench
