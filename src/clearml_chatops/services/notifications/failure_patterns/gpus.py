"""Failures of GPUs and CUDA, as PyTorch, JAX, TensorFlow, Lightning and NVIDIA's container runtime print them."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE,
    CHANGE_CONTAINER,
    CHANGE_PARAMETERS,
    CHECK_GPU,
    FailureCause,
    FailurePattern,
    NextStep,
    Remedy,
)

GPU_PATTERNS = (
    FailurePattern(
        FailureCause.GPU_NOT_THERE,
        r"invalid device ordinal|cudaErrorInvalidDevice|CUDA_ERROR_INVALID_DEVICE"
        r"|^AssertionError: Invalid device id"
        r"|Invalid CUDA 'device=([^'\n]{1,40})' requested"
        r"|You requested (?:gpu|GPUs): (\[[\d, ]{1,80}\])"
        r"|Invalid device_ordinal value \((\d{1,3})\)",
        "It asked for a GPU that its worker doesn't have{: X}. A run's GPUs are numbered from 0, "
        "whatever their numbers on the machine.",
        "Clone it and change its GPUs, like /set args.gpus 0.",
        CHANGE_PARAMETERS,
        remedy=Remedy.GPU_PARAMETER,
    ),
    FailurePattern(
        FailureCause.GPU_NOT_THERE,
        r"Attempting to deserialize object on CUDA device (\d{1,3}) but",
        "A checkpoint was saved on GPU{ X}, which this run doesn't have: a run's GPUs are numbered from 0.",
        "Load it with map_location in torch.load.",
        CHANGE,
    ),
    FailurePattern(
        FailureCause.GPU_NOT_THERE,
        r"No CUDA GPUs are available|no CUDA-capable device is detected|Found no NVIDIA driver on your system"
        r"|on a CUDA device but torch\.cuda\.is_available\(\) is False"
        r"|No supported gpu backend found|CUDA_ERROR_NO_DEVICE",
        "The run sees no GPU. A run's GPUs are numbered from 0, and its worker may have none.",
        "Check its GPU parameters, or start a worker with GPUs, like /worker start gpus=0.",
        (NextStep.SHOW_PARAMETERS, NextStep.SHOW_WORKERS, NextStep.CLONE, NextStep.SHOW_LOG),
        remedy=Remedy.GPU_PARAMETER,
    ),
    FailurePattern(
        FailureCause.GPU_NOT_THERE,
        r"device error: ([\w:-]{1,60}): unknown device",
        "The worker was started with GPUs that its machine doesn't have{: X}.",
        "See the machine's GPUs with /gpus, start the worker again with those, then retry.",
        (NextStep.SHOW_GPUS, NextStep.SHOW_WORKERS, NextStep.RETRY, NextStep.SHOW_LOG),
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.CUDA_OUT_OF_MEMORY,
        r"(?:CUDA|HIP) out of memory(?:\. Tried to allocate ([\d.]{1,12} [KMGT]iB))?|CUDA error: out of memory"
        r"|C(?:UBLAS|UDNN)_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation"
        r"|RESOURCE_EXHAUSTED: Out of memory(?: while trying to allocate ([\d.]{1,15} ?\w{0,5}))?"
        r"|OOM when allocating tensor",
        "Out of GPU memory{: it needed another X}.",
        "Use a smaller batch, or a GPU with more memory.",
        (NextStep.CLONE, NextStep.SHOW_LOG, NextStep.SHOW_GPUS),
    ),
    FailurePattern(
        FailureCause.CUDA_ASSERT,
        r"thread: \[[\d,]{1,40}\] Assertion `([^`\n]{1,160})` failed|device-side assert triggered",
        "An index or a label is out of range on the GPU{: X doesn't hold}.",
        "Compare the labels with the number of classes, and indices with sizes. "
        "CUDA_LAUNCH_BLOCKING=1 shows the line.",
        CHANGE,
    ),
    FailurePattern(
        FailureCause.CUDA_INCOMPATIBLE,
        r"Torch not compiled with CUDA enabled|jaxlib is not compiled with CUDA",
        "The installed framework is built without CUDA, so it can't use the driver or a GPU.",
        "Use an image or requirements with its CUDA build.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.CUDA_INCOMPATIBLE,
        r"NVIDIA driver on your system is too old(?: \((found version \d{1,6})\))?"
        r"|CUDA driver version is insufficient|no kernel image is available for execution"
        r"|requirement error: unsatisfied condition: (cuda ?[<>=]{1,2} ?[\d.]{1,8})"
        r"|PTX was compiled with an unsupported toolchain|forward compatibility was attempted on non supported HW",
        "The CUDA of the run doesn't fit the machine's driver or GPU{: X}.",
        "Use an image with another CUDA version, or ask for a driver update on the machine.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.CUDA_BROKEN,
        r"could not select device driver|unknown or invalid runtime name: nvidia"
        r"|nvidia-container-runtime[\"']?: executable file not found",
        "Docker can't give a container a GPU on this machine.",
        "Install the NVIDIA Container Toolkit there and restart Docker, then retry.",
        CHECK_GPU,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.CUDA_BROKEN,
        r"CUDA error: (unspecified launch failure|unknown error|uncorrectable ECC error encountered"
        r"|all CUDA-capable devices are busy or unavailable)"
        r"|Failed to initialize NVML: ([^\n]{1,80})|NVML: (Driver/library version mismatch)"
        r"|nvidia-container-cli: (?:initialization|ldcache|mount|detection) error: ([^\n]{1,100})"
        r"|GPU is lost|GPU has fallen off the bus|CUDA-capable device\(s\) is/are busy or unavailable",
        "The GPU or its driver failed{: X}.",
        "Check the GPU with /gpus, then retry on another worker.",
        CHECK_GPU,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.CUDA_BROKEN,
        r"DNN library initialization failed|(?i:could not create cudnn handle)|(CUDNN_STATUS_(?!ALLOC)\w{1,40})"
        r"|(CUBLAS_STATUS_(?!ALLOC)\w{1,40})",
        "A GPU library failed{: X}. Mostly the GPU's memory is full, or the CUDA packages don't fit each other.",
        "See with /gpus who uses the GPU, then retry, or use another image.",
        (NextStep.SHOW_GPUS, NextStep.RETRY, NextStep.SHOW_LOG, NextStep.CLONE),
    ),
    FailurePattern(
        FailureCause.CUDA_BROKEN,
        r"CUDA error: (an illegal memory access was encountered|misaligned address)",
        "A GPU kernel went wrong{: X}.",
        "Retry on another worker. If it fails there too, look for the kernel with CUDA_LAUNCH_BLOCKING=1.",
        CHECK_GPU,
    ),
)
