#include "crowd.h"

#include <unistd.h>

namespace muster::bench {

Crowd::Crowd(std::uint16_t port, std::size_t count) : port_(port), poll_(::epoll_create1(0)) {
    grow(count);
}

Crowd::~Crowd() {
    ::close(poll_);
}

void Crowd::grow(std::size_t count) {
    while (connections_.size() < count) {
        epoll_event event{.events = EPOLLIN, .data = {.u64 = connections_.size()}};
        connections_.push_back(std::make_unique<Connection>(port_));
        if (::epoll_ctl(poll_, EPOLL_CTL_ADD, connections_.back()->fd(), &event) != 0) {
            die("a connection cannot be watched");
        }
    }
}

}  // namespace muster::bench
