#include "env/memory_disk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace muster::env {

void MemoryDisk::attach(DiskTarget& target) {
    target_ = &target;
}

Result<std::string> MemoryDisk::read(std::string_view path) {
    const auto file = files_.find(path);
    if (file == files_.end()) {
        return fail(Errc::not_found, std::string(path));
    }
    return file->second;
}

Result<std::vector<std::string>> MemoryDisk::list(std::string_view folder) {
    const std::string prefix = folder.empty() ? std::string() : std::string(folder) + "/";
    std::vector<std::string> names;
    for (const auto& [path, bytes] : files_) {
        if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos) {
            names.push_back(path.substr(prefix.size()));
        }
    }
    return names;
}

void MemoryDisk::read_part(DiskOpId op, std::string_view path, std::uint64_t offset,
                           std::size_t bytes_max) {
    queue_.push_back({.kind = Kind::read,
                      .id = op,
                      .path = std::string(path),
                      .offset = offset,
                      .bytes_max = bytes_max});
}

void MemoryDisk::append(DiskOpId op, std::string_view path, std::string bytes) {
    queue_.push_back({Kind::append, op, std::string(path), std::move(bytes)});
}

void MemoryDisk::replace(DiskOpId op, std::string_view path, std::string bytes) {
    queue_.push_back({Kind::replace, op, std::string(path), std::move(bytes)});
}

void MemoryDisk::remove(DiskOpId op, std::string_view path) {
    queue_.push_back({Kind::remove, op, std::string(path), {}});
}

std::size_t MemoryDisk::queued() const {
    return queue_.size();
}

void MemoryDisk::carry_out(Operation& operation) {
    switch (operation.kind) {
        case Kind::append: files_[operation.path] += operation.bytes; break;
        case Kind::replace: files_[operation.path] = std::move(operation.bytes); break;
        case Kind::remove: files_.erase(operation.path); break;
        case Kind::read: break;
    }
}

bool MemoryDisk::reads_next() const {
    return !queue_.empty() && queue_.front().kind == Kind::read;
}

void MemoryDisk::report_read(const Operation& operation) {
    if (failing_ > 0) {
        --failing_;
        target_->on_read(operation.id, std::unexpected(failure_));
        return;
    }
    auto bytes = read(operation.path);
    if (bytes) {
        const std::size_t from = std::min<std::size_t>(operation.offset, bytes->size());
        *bytes = bytes->substr(from, operation.bytes_max);
    }
    target_->on_read(operation.id, bytes);
}

bool MemoryDisk::pump_one() {
    if (queue_.empty()) {
        return false;
    }
    CHECK(target_ != nullptr);
    Operation operation = std::move(queue_.front());
    queue_.pop_front();
    if (operation.kind == Kind::read) {
        report_read(operation);
        return true;
    }
    if (failing_ > 0) {
        --failing_;
        if (operation.kind == Kind::append && failing_bytes_ > 0) {
            operation.bytes.resize(std::min(operation.bytes.size(), failing_bytes_));
            carry_out(operation);
        }
        target_->on_disk(operation.id, std::unexpected(failure_));
        return true;
    }
    const bool fitted = fits(operation);
    if (fitted || operation.kind == Kind::append) {
        carry_out(operation);
    }
    target_->on_disk(operation.id,
                     fitted ? Result<void>() : fail(Errc::io_error, "no space left on device"));
    return true;
}

// Cuts an append to what fits.
bool MemoryDisk::fits(Operation& operation) const {
    const std::size_t taken = capacity_ == SIZE_MAX ? 0 : used();
    const std::size_t room = capacity_ - std::min(capacity_, taken);
    if (operation.kind == Kind::remove || operation.bytes.size() <= room) {
        return true;
    }
    operation.bytes.resize(room);
    return false;
}

std::size_t MemoryDisk::pump_all() {
    std::size_t count = 0;
    while (pump_one()) {
        ++count;
    }
    return count;
}

void MemoryDisk::crash(const Crash& crash) {
    for (std::size_t i = 0; i < crash.operations && !queue_.empty(); ++i) {
        carry_out(queue_.front());
        queue_.pop_front();
    }
    if (!queue_.empty() && queue_.front().kind == Kind::append && crash.torn_bytes > 0) {
        Operation& torn = queue_.front();
        const std::size_t whole = torn.bytes.size();
        torn.bytes.resize(std::min(whole, crash.torn_bytes));
        if (crash.torn_as_zeros) {
            torn.bytes.resize(whole, '\0');
        }
        carry_out(torn);
    }
    queue_.clear();
    target_ = nullptr;
}

void MemoryDisk::fail_next(std::size_t count, Error error, std::size_t bytes_written) {
    failing_ = count;
    failure_ = std::move(error);
    failing_bytes_ = bytes_written;
}

void MemoryDisk::set_capacity(std::size_t bytes) {
    capacity_ = bytes;
}

std::size_t MemoryDisk::used() const {
    std::size_t bytes = 0;
    for (const auto& [path, content] : files_) {
        bytes += content.size();
    }
    return bytes;
}

const std::map<std::string, std::string, std::less<>>& MemoryDisk::files() const {
    return files_;
}

void MemoryDisk::put(std::string path, std::string bytes) {
    files_[std::move(path)] = std::move(bytes);
}

void MemoryDisk::erase(std::string_view path) {
    if (const auto file = files_.find(path); file != files_.end()) {
        files_.erase(file);
    }
}

void MemoryDisk::flip_bit(std::string_view path, std::size_t offset, unsigned bit) {
    const auto file = files_.find(path);
    CHECK(file != files_.end() && offset < file->second.size() && bit < 8);
    file->second[offset] = static_cast<char>(static_cast<unsigned char>(file->second[offset]) ^
                                             static_cast<unsigned char>(1U << bit));
}

void MemoryDisk::cut(std::string_view path, std::size_t size) {
    const auto file = files_.find(path);
    CHECK(file != files_.end() && size <= file->second.size());
    file->second.resize(size);
}

}  // namespace muster::env
