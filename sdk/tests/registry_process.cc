#include "registry_process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace muster::sdk_test {
namespace {

sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    static_cast<void>(::bind(fd, reinterpret_cast<sockaddr*>(&address), size));
    static_cast<void>(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
    ::close(fd);
    return ntohs(address.sin_port);
}

}  // namespace

RegistryProcess::RegistryProcess() : bolt_port_(free_port()), http_port_(free_port()) {
    std::string name = (std::filesystem::temp_directory_path() / "muster-sdk-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
}

RegistryProcess::~RegistryProcess() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

bool RegistryProcess::start() {
    std::vector<std::string> words{
        MUSTER_BIN,   "server",
        "--data-dir", folder_ + "/data",
        "--set",      "bolt.listen=" + bolt(),
        "--set",      "http.listen=127.0.0.1:" + std::to_string(http_port_)};
    std::vector<char*> argv;
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const std::string output = folder_ + "/server.log";
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0640);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    const int failed = ::posix_spawn(&pid_, argv[0], &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) {
        pid_ = 0;
        return false;
    }
    for (int i = 0; i < 2000; ++i) {
        if (request("GET", "/health/ready", "").starts_with("HTTP/1.1 200")) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

void RegistryProcess::kill() {
    if (pid_ != 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
}

bool RegistryProcess::put_config(const std::string& key, const std::string& value) const {
    return request("PUT", "/api/v1/config/" + key, value).starts_with("HTTP/1.1 2");
}

std::string RegistryProcess::request(const std::string& method, const std::string& path,
                                     const std::string& body) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    const sockaddr_in address = local(http_port_);
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        const std::string text = method + " " + path +
                                 " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                 "Content-Length: " +
                                 std::to_string(body.size()) + "\r\n\r\n" + body;
        static_cast<void>(::send(fd, text.data(), text.size(), MSG_NOSIGNAL));
        char part[4096];
        for (ssize_t size = 0; (size = ::recv(fd, part, sizeof part, 0)) > 0;) {
            answer.append(part, static_cast<std::size_t>(size));
        }
    }
    ::close(fd);
    return answer;
}

}  // namespace muster::sdk_test
